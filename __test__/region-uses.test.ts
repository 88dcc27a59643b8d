import { regions } from './helpers/region-scene.js'

regions('what a program does with memory works in the main thread and in workers', async (t, scene) => {
  const child = scene.program(process.execPath, [new URL('./children/region-uses.js', import.meta.url).pathname])
  const { inMain, inWorker } = await child.says('done')
  t.true((inMain as number) > 80, `${inMain} checks`)
  t.is(inWorker, inMain, 'and as many in a worker')
  await child.succeeds()
})
