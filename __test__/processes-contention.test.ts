import { type Contest, contend, languages } from './helpers/contenders.js'
import { scene } from './helpers/scene.js'

/** Without so many attempts that met the other side, nothing was tested. */
const OVERLAPS = 10_000
const SECONDS = 2
const CONTROL_SECONDS = 0.5
/** A busy machine may need several rounds. */
const MOST_ROUNDS = 40
const watchdog = { seconds: 150 }

for (const publisher of languages)
  for (const consumer of languages)
    for (const buffers of [1, 3]) for (const byteLength of [64, 65_536]) contest({ publisher, consumer, buffers, byteLength })

for (const publisher of languages)
  for (const consumer of languages) contest({ publisher, consumer, buffers: 3, byteLength: 16_384, copy: true })

function contest(sides: Omit<Contest, 'seconds' | 'exclusion'>): void {
  const { publisher, consumer, buffers, byteLength, copy } = sides
  const title = `${publisher} publishes, ${consumer} ${copy ? 'copies' : 'reads'}, buffers: ${buffers}, ${byteLength} B`

  scene(
    `no torn and no older value: ${title}`,
    async (t, scene) => {
      let overlaps = 0
      for (let round = 0; overlaps < OVERLAPS && round < MOST_ROUNDS; round++) {
        const found = await contend(scene, { ...sides, seconds: SECONDS, exclusion: true })
        t.log(`${found.writes} writes, ${found.reads} reads, ${found.contended} attempts overlapped`)
        t.is(found.torn, 0, 'torn values')
        t.is(found.mislabelled, 0, 'values under the version of another one')
        t.is(found.backwards, 0, 'values older than the one before')
        overlaps += found.contended
      }
      t.true(overlaps >= OVERLAPS, `only ${overlaps} attempts overlapped`)
    },
    watchdog,
  )

  scene(`control: without exclusion there are torn values: ${title}`, async (t, scene) => {
    let torn = 0
    for (let round = 0; torn === 0 && round < MOST_ROUNDS; round++) {
      const found = await contend(scene, { ...sides, seconds: CONTROL_SECONDS, exclusion: false })
      t.log(`${found.writes} writes, ${found.reads} reads, ${found.torn} torn`)
      torn += found.torn
    }
    t.true(torn > 0)
  })
}
