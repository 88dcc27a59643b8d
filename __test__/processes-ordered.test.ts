import { type Contest, contend } from './helpers/contenders.js'
import { scene } from './helpers/scene.js'

/** As where an engine gives memory to WebAssembly and forbids its code. */
const nodeArguments = ['--import', 'data:text/javascript,WebAssembly.Module=undefined']
const SECONDS = 2

for (const [publisher, consumer] of [
  ['typescript', 'typescript'],
  ['typescript', 'rust'],
  ['rust', 'typescript'],
] as const)
  for (const buffers of [1, 3]) contest({ publisher, consumer, buffers, byteLength: 64 })

function contest(sides: Omit<Contest, 'seconds' | 'exclusion'>): void {
  const { publisher, consumer, buffers } = sides
  scene(
    `on Atomics alone: no torn and no older value: ${publisher} publishes, ${consumer} reads, buffers: ${buffers}`,
    async (t, scene) => {
      const found = await contend(scene, { ...sides, seconds: SECONDS, exclusion: true, nodeArguments })
      t.log(`${found.writes} writes, ${found.reads} reads, ${found.contended} attempts overlapped`)
      t.true(found.contended > 0)
      t.is(found.torn, 0, 'torn values')
      t.is(found.mislabelled, 0, 'values under the version of another one')
      t.is(found.backwards, 0, 'values older than the one before')
    },
  )
}
