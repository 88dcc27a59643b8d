// One of two processes that race to be the publisher, round after round.
//
//   creators.js DIRECTORY ME OTHER ROUNDS
//
// Each tells the other by a publication of its own how far it is, so that both set out within a microsecond or so.
import { setImmediate as turn } from 'node:timers/promises'
import { Consumer, Publisher, struct, u32 } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { cue, say, stopListening } from './stage.js'

const [directory = '', me = '', other = '', rounds = ''] = process.argv.slice(2)
const Step = struct({ step: u32 })

using mine = Publisher.create(`step-${me}`, Step, { directory, init: { step: 0 } })
using theirs = await Consumer.waitAndOpen(`step-${other}`, Step, { directory })
let step = 0

/** Until the other one is here too. */
function meet(): void {
  step += 1
  mine.write({ step })
  while (theirs.read().step < step);
}

/** Rounds of three kinds follow each other: nothing is there; a dead publisher's segment to adopt; one to replace. */
function race(round: number): Publisher<typeof Pose> | string {
  const ifDead = round % 3 === 2 ? 'replace' : 'adopt'
  try {
    return Publisher.create('prize', Pose, { directory, init: pose(round), ifDead })
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

for (let round = 0; round < Number(rounds); round++) {
  meet()
  const start = process.hrtime.bigint()
  const outcome = race(round)
  const end = process.hrtime.bigint()
  meet() // both have tried
  const [adopted, error] = typeof outcome === 'string' ? [undefined, outcome] : [outcome.adopted, undefined]
  say('tried', { adopted, error, start: String(start), end: String(end) })
  if (typeof outcome !== 'string') outcome.close({ keep: round % 3 !== 2 })
  meet() // it is over
  if (round % 50 === 0) await turn()
}
say('done')
await cue()
stopListening()
