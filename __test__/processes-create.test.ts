import type { ExecutionContext } from 'ava'
import type { Message } from './helpers/child.js'
import { type Scene, scene } from './helpers/scene.js'

const ROUNDS = 1002
const RACES = ['nothing is there', 'a segment to adopt is there', 'a segment to replace is there'] as const

scene(`of two creators that race ${ROUNDS} times exactly one wins`, async (t, scene) => {
  const races = RACES.map(() => ({ won: { one: 0, two: 0 }, overlapped: 0 }))
  // with a core between them they hardly ever race
  do await race(t, scene, races)
  while (races.some(({ overlapped }) => overlapped <= 10))
  for (const [index, race] of RACES.entries()) t.log(`${race}: ${JSON.stringify(races[index])}`)
})

interface Race {
  readonly won: { one: number; two: number }
  overlapped: number
}

async function race(t: ExecutionContext, scene: Scene, races: readonly Race[]): Promise<void> {
  const one = scene.child('creators', ['one', 'two', ROUNDS])
  const two = scene.child('creators', ['two', 'one', ROUNDS])
  for (let round = 0; round < ROUNDS; round++) {
    scene.doing(`round ${round}`)
    const tries = await Promise.all([one.says('tried'), two.says('tried')])
    const errors = tries.map(({ error }) => error)
    const winner = errors[0] === undefined ? 'one' : 'two'
    t.deepEqual(errors, winner === 'one' ? [undefined, 'ERR_PUBLISHER_EXISTS'] : ['ERR_PUBLISHER_EXISTS', undefined], `round ${round}`)
    t.is(tries.find(({ error }) => error === undefined)?.adopted, round % 3 === 1, `round ${round}`)
    const race = races[round % 3]
    if (race === undefined) continue
    race.won[winner] += 1
    race.overlapped += Number(overlap(tries))
  }
  await Promise.all([one.says('done'), two.says('done')])
  one.tell('go')
  two.tell('go')
  await Promise.all([one.succeeds(), two.succeeds()])
}

/** Whether both were at it at the same time. */
function overlap([one, two]: [Message, Message]): boolean {
  const time = (message: Message, end: 'start' | 'end') => BigInt(String(message[end]))
  return time(one, 'start') < time(two, 'end') && time(two, 'start') < time(one, 'end')
}
