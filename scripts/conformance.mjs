// `npm run conformance`: both implementations through the same scenarios and contests, on each of the runtimes.
//
//   npm run conformance -- [--runtimes node20,node24,bun] [--rest]
//
// Rust takes part in any case. `node20-atomics` is Node 20 on Atomics alone, as Bun is. `--rest`: without what `npm test` runs too, which is Rust and the
// running Node among themselves.
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'
import { Failure, main, run } from './run.mjs'
import { executableOf, running } from './runtimes.mjs'

/** What a release must work on. */
const ALL = ['node20', 'node24', 'bun']
/** For a suite that hangs in spite of its watchdogs. */
const MINUTES = 30

/** Prints a line for each test; resolves to the counts. */
export async function conformance(names, { rest = false } = {}) {
  const runtimes = []
  for (const name of names) runtimes.push(`${name}=${await executableOf(name.replace(/-atomics$/, ''))}`)
  await prepare(['native', 'lib', 'rust', 'testing', 'test'])
  const args = ['.build/test/conformance/main.js', ...runtimes, ...(rest ? ['--rest', running] : [])]
  const { code, stdout } = await run(process.execPath, args, { stdout: process.stdout, minutes: MINUTES })
  return lastCounts(stdout, code)
}

/** What the last line of counts says. A program that failed without telling of a failure counts as one. */
export function lastCounts(stdout, code) {
  const lines = Array.from(stdout.matchAll(/^(\d+) passed, (\d+) failed$/gm))
  const [, passed = 0, failed = 0] = lines.at(-1)?.map(Number) ?? []
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => {
    const { runtimes, rest } = selection()
    const { failed } = await conformance(runtimes?.split(',') ?? ALL, { rest })
    return failed === 0 ? 0 : 1
  })
}

function selection() {
  try {
    return parseArgs({ options: { runtimes: { type: 'string' }, rest: { type: 'boolean' } } }).values
  } catch (error) {
    throw new Failure(error.message)
  }
}
