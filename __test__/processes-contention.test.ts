import { type Contest, contend, languages } from './helpers/contenders.js'
import { scene } from './helpers/scene.js'

const OVERLAPS = 10_000
const SECONDS = 2
const LONGEST_SECONDS = 20

for (const publisher of languages)
  for (const consumer of languages)
    for (const buffers of [1, 3])
      for (const byteLength of [64, 65_536]) contest({ publisher, consumer, buffers, byteLength })

for (const publisher of languages)
  for (const consumer of languages) contest({ publisher, consumer, buffers: 3, byteLength: 1024, copy: true })

function contest(sides: Omit<Contest, 'seconds' | 'exclusion'>): void {
  const { publisher, consumer, buffers, byteLength, copy } = sides
  const title = `${publisher} publishes, ${consumer} ${copy ? 'copies' : 'reads'}: ${buffers} buffers, ${byteLength} B`

  scene(`no torn and no older value: ${title}`, async (t, scene) => {
    let overlaps = 0
    for (let seconds = SECONDS; overlaps < OVERLAPS && seconds <= LONGEST_SECONDS; seconds *= 3) {
      const found = await contend(scene, { ...sides, seconds, exclusion: true })
      t.log(`${found.reads} reads, ${found.writes} writes, ${found.contended} overlapped`)
      t.is(found.torn, 0, 'torn values')
      t.is(found.mislabelled, 0, 'values under the version of another one')
      t.is(found.backwards, 0, 'values older than the one before')
      overlaps = Math.max(overlaps, found.contended)
    }
    t.true(overlaps >= OVERLAPS, `only ${overlaps} attempts overlapped`)
  })

  scene(`control, without exclusion torn values are found: ${title}`, async (t, scene) => {
    let torn = 0
    for (let seconds = 0.5; torn === 0 && seconds <= LONGEST_SECONDS; seconds *= 3) {
      const found = await contend(scene, { ...sides, seconds, exclusion: false })
      t.log(`${found.reads} reads, ${found.torn} torn`)
      torn = found.torn
    }
    t.true(torn > 0)
  })
}
