// The conformance suite: both implementations, alone and mixed, through the same scenarios and contests.
//
//   main.js NAME=EXECUTABLE... [--rest NAME]
//
// Each argument is a runtime of the party in TypeScript; the one in Rust always takes part. A NAME that ends in `-atomics` does without
// WebAssembly's instructions. `--rest`: without the pairings of Rust and NAME among themselves. Prints a line for each test, and at the end `N passed, N failed`.
import { Cast } from './cast.js'
import { contest, contests, control, moreContests } from './contention.js'
import { play } from './play.js'
import { type Pairing, pairings, type Runtime, rust } from './runtimes.js'
import { readScenarios } from './scenario.js'
import { bounded } from './watchdog.js'

/** Pairings that play scenarios side by side: most of a scenario is waiting. */
const AT_ONCE = 4

const { runtimes, done } = readArguments(process.argv.slice(2))
const scenarios = readScenarios()
const counts = { passed: 0, failed: 0 }

function readArguments(given: readonly string[]): { runtimes: Runtime[]; done: string[] } {
  const at = given.indexOf('--rest')
  const runtimes = (at < 0 ? given : given.slice(0, at)).map(argument => {
    const [name = '', executable = ''] = argument.split('=')
    return { name, executable }
  })
  return { runtimes, done: at < 0 ? [] : [rust.name, given[at + 1] ?? ''] }
}

/** Runs a test and tells how it went: what it found, or why it failed. */
async function check(title: string, test: () => Promise<string>): Promise<void> {
  try {
    const found = await test()
    counts.passed += 1
    console.log(`  ✔ ${title}${found === '' ? '' : `: ${found}`}`)
  } catch (error) {
    counts.failed += 1
    console.log(`  ✘ ${title}: ${(error as Error).message}`)
  }
}

async function playEach(pairings: Iterable<Pairing>): Promise<void> {
  for (const pairing of pairings) await playAll(pairing)
}

async function playAll(pairing: Pairing): Promise<void> {
  const cast = new Cast(pairing)
  for (const scenario of scenarios) {
    for (const buffers of scenario.buffers) {
      await check(`${nameOf(pairing)}: ${scenario.title}, buffers: ${buffers}`, () => playOne(() => play(cast, scenario, buffers), cast))
    }
  }
  await cast.dismiss()
}

/** The processes play on in the next scenario, unless one failed. */
async function playOne(play: () => Promise<void>, cast: Cast): Promise<string> {
  try {
    await bounded(play())
    return ''
  } catch (error) {
    const account = cast.account()
    await cast.dismiss()
    throw new Error(`${(error as Error).message}\n${account}`)
  }
}

async function contendAll(pairing: Pairing): Promise<void> {
  const isFirst = [pairing.publisher, pairing.consumer].every(side => side === rust || side === runtimes[0])
  for (const one of isFirst ? [...contests, ...moreContests] : contests) {
    const title = `${nameOf(pairing)}: ${one.title}, buffers: ${one.buffers}, ${one.bytes} B`
    await check(`${title}, contended`, () => contest(pairing, one))
    await check(`${title}, control`, () => control(pairing, one))
  }
}

function nameOf({ publisher, consumer }: Pairing): string {
  return `${publisher.name} publishes, ${consumer.name} consumes`
}

const wanted = pairings(runtimes).filter(({ publisher, consumer }) => !done.includes(publisher.name) || !done.includes(consumer.name))
const waiting = wanted.values()
await Promise.all(Array.from({ length: AT_ONCE }, () => playEach(waiting)))
for (const pairing of wanted) await contendAll(pairing)
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1
