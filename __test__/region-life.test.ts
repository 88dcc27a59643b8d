import { regions } from './helpers/region-scene.js'

regions(
  'memory lives as long as it is reached, and no longer',
  async (t, scene) => {
    const child = scene.program(process.execPath, [new URL('./children/region-life.js', import.meta.url).pathname, 20_000])
    const { checks } = await child.says('done')
    t.true((checks as number) > 400, `${checks} checks`)
    await child.succeeds()
  },
  { seconds: 300 },
)
