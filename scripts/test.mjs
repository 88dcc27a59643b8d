// `npm test`: builds, runs the tests of both languages and of both together, and ends with one line of counts.
// `npm test -- --only ts [--runtime node24] [ava option...]`, `--only rust [cargo option...]` and `--only conformance` run a part.
import { join } from 'node:path'
import { requireCargo } from './cargo.mjs'
import { conformance } from './conformance.mjs'
import { prepare } from './prepare.mjs'
import { pythonPath } from './python.mjs'
import { Failure, main, root, run } from './run.mjs'
import { executableOf, running } from './runtimes.mjs'

/** For a runner that hangs in spite of the watchdogs of the tests. */
const minutes = 30
const suites = { rust: testRust, ts: testTypeScript, conformance: testConformance }

await main(async () => {
  const [names, options] = selection(process.argv.slice(2))
  const { passed, failed } = await runSuites(names, options)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
})

async function runSuites(names, options) {
  const counts = { passed: 0, failed: 0 }
  try {
    for (const name of names) {
      const { passed, failed } = await suites[name](options)
      counts.passed += passed
      counts.failed += failed
    }
  } catch (error) {
    // A suite that could not be built or started is one failure.
    if (!(error instanceof Failure)) throw error
    console.error(`pagecast: ${error.message}`)
    counts.failed += 1
  }
  return counts
}

function selection([flag, name, ...options]) {
  if (flag === undefined) return [Object.keys(suites), []]
  if (flag !== '--only' || !Object.hasOwn(suites, name)) throw new Failure('usage: npm test -- [--only ts|rust|conformance [option...]]')
  return [[name], options]
}

async function testRust(options) {
  await requireCargo()
  // The feature brings the negative controls; unless one of them switches something off, nothing else changes.
  const command = ['test', '--workspace', '--features', 'testing', '--no-fail-fast', ...options]
  const { code, stdout, stderr } = await run('cargo', command, { stdout: process.stdout, env: { CARGO_TERM_COLOR: 'never' }, minutes })
  const passed = sum(stdout, /^test result: .*?(\d+) passed/gm)
  const failed = sum(stdout, /^test result: .*?(\d+) failed/gm)
  // A test program that crashed was started and gave no result.
  const started = count(stderr, /^ +(Running|Doc-tests) /gm)
  const ended = count(stdout, /^test result: /gm)
  const crashed = code === 0 ? 0 : Math.max(0, started - ended)
  return withExitCode(code, passed, failed + crashed)
}

/** On the Node that runs this, or on one that `scripts/runtimes.mjs` knows: what is built is the same for all. */
async function testTypeScript(options) {
  const [runtime, avaOptions] = options[0] === '--runtime' ? [options[1], options.slice(2)] : [running, options]
  const command = [await executableOf(runtime), ['node_modules/ava/entrypoints/cli.mjs', ...avaOptions]]
  await prepare(['native', 'lib', 'examples', 'rust', 'testing', 'test'])
  const env = { FORCE_COLOR: '0', ...testingPaths(), PAGECAST_PYTHON: (await pythonPath()) ?? '' }
  const { code, stdout } = await run(...command, { stdout: process.stdout, env, minutes })
  // Lines are counted: the summary leaves out what passed when something failed, and the TAP reporter of ava 7 breaks at a timeout.
  const passed = count(stdout, /^ {2}[✔√] /gm)
  const failed = count(stdout, /^ {2}[✘×] (?!Exiting due|Timed out|\d+ tests? remaining)/gm)
  return withExitCode(code, passed, failed + sum(stdout, /^ {2}(?:[✘×] )?(\d+) tests? remain(?:ing in|ed pending)/gm))
}

/** Rust and the running Node; the Node also on Atomics alone, as where an engine forbids WebAssembly's code. */
function testConformance() {
  return conformance([running, `${running}-atomics`])
}

/** Where the tests find what was built with the feature `testing`. */
function testingPaths() {
  const directory = join(root, '.build', 'testing')
  return {
    PAGECAST_TESTING_ADDON: join(directory, 'pagecast.node'),
    PAGECAST_TESTING_EXAMPLES: directory,
    PAGECAST_RUST_EXAMPLES: join(root, '.build', 'rust'),
  }
}

/** A runner that failed without telling of a failure counts as one. */
function withExitCode(code, passed, failed) {
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

function sum(text, pattern) {
  return Array.from(text.matchAll(pattern), match => Number(match[1])).reduce((total, number) => total + number, 0)
}

function count(text, pattern) {
  return text.match(pattern)?.length ?? 0
}
