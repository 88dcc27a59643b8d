// Publisher and consumer as fast as they go, with the same value: none is torn, none under another one's version, none older than the one
// before. And the controls: with what keeps values whole switched off, the same contest finds torn ones.
import { mkdtempSync, rmSync } from 'node:fs'
import type { Child } from '../helpers/child.js'
import { type Pairing, startForTesting } from './runtimes.js'
import { bounded } from './watchdog.js'

/** Attempts that meet the other side: so many are wanted. */
const OVERLAPS = 10_000
/** With fewer nothing was tested. On a machine whose processors are others' the two rarely run at the same time, and so many have to do. */
const FEWEST_OVERLAPS = 1000
const SECONDS = 0.25
const CONTROL_SECONDS = 0.2
/** A busy machine may need many rounds. */
const MOST_ROUNDS = 200

export interface Contest {
  readonly title: string
  readonly bytes: number
  readonly buffers: number
  /** How the consumer opens, and how it reads. */
  readonly open: string
  readonly way: string
  /** In the environment: takes away what keeps its values whole. */
  readonly control: string
}

const locking = { open: 'open bytes', way: '', control: 'PAGECAST_TEST_NO_EXCLUSION' }
const copying = { open: 'open bytes', way: 'copying', control: 'PAGECAST_TEST_NO_RECHECK' }

/** Every way to read. */
export const contests: readonly Contest[] = [
  { title: 'locks', bytes: 65_536, buffers: 1, ...locking },
  { title: 'locks', bytes: 64, buffers: 3, ...locking },
  { title: 'copies by a read-only consumer', bytes: 16_384, buffers: 3, ...copying, open: 'open bytes readOnly' },
  // So small that an attached consumer in TypeScript takes no lock for it either.
  { title: 'copies without a lock', bytes: 4096, buffers: 2, ...copying },
]

/** The same with other sizes: for Rust and the first runtime, which is once for each implementation. */
export const moreContests: readonly Contest[] = [
  { title: 'locks', bytes: 64, buffers: 1, ...locking },
  { title: 'locks', bytes: 65_536, buffers: 3, ...locking },
]

type Counts = Readonly<Record<string, number>>

/** What was found in as many rounds as it takes to have met the other side often enough. */
export async function contest(pairing: Pairing, contest: Contest): Promise<string> {
  return await withSides(pairing, contest, {}, async race => {
    let [overlaps, rounds] = [0, 0]
    while (overlaps < (rounds < MOST_ROUNDS / 2 ? OVERLAPS : FEWEST_OVERLAPS)) {
      if (rounds === MOST_ROUNDS) throw new Error(`only ${overlaps} attempts overlapped in ${rounds} rounds`)
      const found = await race(SECONDS)
      const wrong = ['torn', 'mislabelled', 'backwards'].filter(fault => found[fault] !== 0)
      if (wrong.length > 0) throw new Error(`found ${wrong.map(fault => `${found[fault]} ${fault}`)} of ${found.reads}`)
      overlaps += found.overlaps ?? 0
      rounds += 1
    }
    return `${overlaps} attempts overlapped`
  })
}

/** The negative control: torn values, in as many rounds as it takes to find some. */
export async function control(pairing: Pairing, contest: Contest): Promise<string> {
  return await withSides(pairing, contest, { [contest.control]: '1' }, async race => {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { torn = 0, reads } = await race(CONTROL_SECONDS)
      if (torn > 0) return `${torn} of ${reads} values were torn`
    }
    throw new Error('no value was torn: the test proves nothing')
  })
}

type Race = (seconds: number) => Promise<Counts>

async function withSides(
  pairing: Pairing,
  contest: Contest,
  env: NodeJS.ProcessEnv,
  body: (race: Race) => Promise<string>,
): Promise<string> {
  const directory = mkdtempSync('/dev/shm/pagecast-contention-')
  const sides = [startForTesting(pairing.publisher, env), startForTesting(pairing.consumer, env)] as const
  try {
    await begin(sides, directory, contest)
    return await bounded(body(seconds => race(sides, seconds, contest)))
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${sides.map(side => side.account).join('\n')}`)
  } finally {
    await Promise.all(sides.map(side => side.end()))
    rmSync(directory, { recursive: true })
  }
}

type Sides = readonly [publisher: Child, consumer: Child]

async function begin([publisher, consumer]: Sides, directory: string, { bytes, buffers, open }: Contest): Promise<void> {
  for (const side of [publisher, consumer]) await ask(side, `in ${directory}`)
  await ask(publisher, `create bytes=${bytes} buffers=${buffers}`)
  await ask(consumer, open)
}

async function race([publisher, consumer]: Sides, seconds: number, { bytes, way }: Contest): Promise<Counts> {
  const answers = [ask(publisher, `race ${seconds}`), ask(consumer, `race ${seconds} bytes=${bytes} ${way}`)]
  const [published, consumed] = (await Promise.all(answers)).map(counts) as [Counts, Counts]
  return { ...consumed, overlaps: (published.overlaps ?? 0) + (consumed.overlaps ?? 0) }
}

async function ask(side: Child, command: string): Promise<string> {
  side.tell(command)
  const answer = await side.line()
  if (/^(ERR_|failed)/.test(answer)) throw new Error(`${command}: ${answer}`)
  return answer
}

function counts(answer: string): Counts {
  return Object.fromEntries(
    answer
      .split(' ')
      .map(word => word.split('='))
      .map(([name, count]) => [name, Number(count)]),
  )
}
