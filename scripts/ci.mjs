// `npm run ci` and `.ci/run`: the tests and every other check, on a laptop as on a server.
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { lastCounts } from './conformance.mjs'
import { Failure, main, root, run, runOrFail } from './run.mjs'
import { executableOf } from './runtimes.mjs'

const generated = ['native.cjs', 'native.d.cts', 'src/ordered-code.ts', 'Cargo.lock', 'package-lock.json', 'npm']
const clippy = ['clippy', '--workspace', '--all-targets']
const deny = ['--', '--deny', 'warnings']

const beside = [
  'test',
  '--package',
  'pagecast',
  '--features',
  'testing',
  ...['publication', 'processes', 'region'].flatMap(name => ['--test', name]),
]
/** They write to a segment by its name, or cut it, or give it away, or look on at its last step: beside an object of shm_open that is another file.
 * Or they have no descriptor left to look into the file with, and leave it to the next creator to sweep. */
const bareFiles = [
  'hostile::',
  'truncation::',
  'fault_signals::',
  'damaged',
  'of_two_that_replace',
  'objects_that_are_no_segments',
  'cleaning_takes_only',
  'who_attaches_while',
  'what_another_user_made',
  'out_of_descriptors',
]

/** Each ends with a line of counts. */
const suites = {
  tests: ['test'],
  'conformance of the other runtimes': ['conformance', '--', '--rest'],
  // how a worker ends, and what becomes of memory, is the engine's doing, and no two versions do the same
  ...Object.fromEntries(
    ['node22', 'node24', 'node26'].map(runtime => [
      `tests with workers and of regions on ${runtime}`,
      ['test', '--', '--only', 'ts', '--runtime', runtime, '--match', '*worker*', '--match', '*region*'],
    ]),
  ),
  'the packages on the runtimes for x64': ['test:matrix', '--', '--x64'],
}

const unremarkable = /^\s*$|^\s*✔|^test .* ok$|^test result: ok|^running \d+ tests?$|^ +(Compiling|Running|Finished|Doc-tests) /

/** Each throws when it fails. They come after the tests, which install and build all that they need. */
const checks = {
  'rustfmt and clippy are installed': installRustTools,
  'format and lint of TypeScript, JavaScript and JSON': () => runOrFail('npm', ['run', '--silent', 'lint']),
  'format of Rust': () => runOrFail('cargo', ['fmt', '--all', '--check']),
  clippy: () => runOrFail('cargo', [...clippy, ...deny]),
  'clippy with the feature testing': () => runOrFail('cargo', [...clippy, '--features', 'testing', ...deny]),
  'documentation of the crates': () => runOrFail('cargo', ['doc', '--workspace', '--no-deps'], { env: { RUSTDOCFLAGS: '-D warnings' } }),
  'the protocol under loom': () => runOrFail('npm', ['run', '--silent', 'loom']),
  'the core with objects of shm_open and files beside them, as on macOS': () =>
    runOrFail('cargo', [...beside, '--', ...bareFiles.flatMap(name => ['--skip', name])], { env: { PAGECAST_TEST_FILES_BESIDE: '1' } }),
  'generated files are committed': () => runOrFail('git', ['ls-files', '--error-unmatch', ...generated]),
  'generated files have not drifted': checkGenerated,
  'types in a project that uses the package': checkConsumer,
  'npm start -- --seconds 5 --json': checkMainJob,
  'the life of regions on Bun': async () => runOrFail(await executableOf('bun'), ['.build/test/children/region-life.js', '2000']),
  'the uses of regions on Bun': async () => runOrFail(await executableOf('bun'), ['.build/test/children/region-uses.js']),
  'npm run hammer -- --seconds 20': () => runOrFail('npm', ['run', '--silent', 'hammer', '--', '--seconds', '20']),
  'npm run hammer:writers -- --seconds 5': () => runOrFail('npm', ['run', '--silent', 'hammer:writers', '--', '--seconds', '5']),
  'npm run hammer:writers -- --seconds 2 --overlap': () =>
    runOrFail('npm', ['run', '--silent', 'hammer:writers', '--', '--seconds', '2', '--overlap']),
  'npm run pack:check': () => runOrFail('npm', ['run', '--silent', 'pack:check']),
  // The tests compile for neither: a number has another type on arm64, and macOS other calls.
  'arm64 and macOS are compiled and linked': () =>
    runOrFail('npm', ['run', '--silent', 'build:all', '--', 'linux-arm64-gnu', 'darwin-arm64']),
  'npm run versions': () => runOrFail('npm', ['run', '--silent', 'versions']),
  'npm run deny': () => runOrFail('npm', ['run', '--silent', 'deny']),
  'npm run lint:workflows': () => runOrFail('npm', ['run', '--silent', 'lint:workflows']),
}

await main(async () => {
  const begun = performance.now()
  const counts = []
  for (const [name, args] of Object.entries(suites)) counts.push(await play(name, args))
  const broken = await failures()
  // Once more at the end, which is what is kept of a long log.
  for (const { name, failed, remarks } of counts) if (failed > 0) console.error(`pagecast: ${name}: ${failed} failed\n${remarks}`)
  for (const { name, error } of broken) console.error(`pagecast: ${name}: ${error.message}`)
  console.error(`pagecast: ${seconds(begun)} in all`)
  const all = {
    passed: total(counts, 'passed') + Object.keys(checks).length - broken.length,
    failed: total(counts, 'failed') + broken.length,
  }
  console.log(`${all.passed} passed, ${all.failed} failed`)
  return all.failed === 0 ? 0 : 1
})

async function play(name, args) {
  const begun = performance.now()
  console.error(`\n== ${name}`)
  const { code, stdout, stderr } = await run('npm', ['run', '--silent', ...args], { minutes: 40 })
  console.error(`== ${seconds(begun)}`)
  return { name, remarks: remarks(`${stdout}\n${stderr}`), ...lastCounts(stdout, code) }
}

/** What a suite printed but for what passed: the last lines of it, if there are many. */
function remarks(printed) {
  const lines = printed.split('\n').filter(line => !unremarkable.test(line))
  return lines.slice(-150).join('\n')
}

function total(counts, key) {
  return counts.reduce((sum, count) => sum + count[key], 0)
}

async function failures() {
  const broken = []
  for (const [name, check] of Object.entries(checks)) {
    const begun = performance.now()
    console.error(`\n== ${name}`)
    const error = await check().then(() => undefined, asFailure)
    if (error) broken.push({ name, error })
    console.error(`== ${error ? 'failed' : 'passed'} in ${seconds(begun)}`)
  }
  return broken
}

function asFailure(error) {
  return error instanceof Error ? error : new Error(String(error))
}

function seconds(begun) {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`
}

async function installRustTools() {
  for (const [tool, component] of Object.entries({ fmt: 'rustfmt', clippy: 'clippy' })) {
    const { code } = await run('cargo', [tool, '--version'], { stdout: null, stderr: null })
    if (code !== 0) await runOrFail('rustup', ['component', 'add', component])
  }
}

/** What `npm test` builds is there by now. */
async function checkGenerated() {
  await runOrFail('npm', ['run', '--silent', 'build:wasm'])
  await runOrFail('npm', ['run', '--silent', 'platforms'])
  await runOrFail('git', ['diff', '--exit-code', '--', ...generated])
}

/** Type-checks scripts/consumer against the package as it would be published. */
async function checkConsumer() {
  const project = join(root, '.build/consumer')
  const installed = join(project, 'node_modules/pagecast')
  rmSync(project, { recursive: true, force: true })
  cpSync(join(root, 'scripts/consumer'), project, { recursive: true })
  mkdirSync(installed, { recursive: true })
  const { stdout } = await runOrFail('npm', ['pack', '--silent', '--pack-destination', project], { stdout: null })
  await runOrFail('tar', ['-xzf', join(project, stdout.trim()), '-C', installed, '--strip-components=1'])
  await runOrFail('node_modules/.bin/tsc', ['-p', project])
}

/** Runs the main job for five seconds: one line of JSON, publications, and no torn value. */
async function checkMainJob() {
  const { stdout } = await runOrFail('npm', ['start', '--silent', '--', '--seconds', '5', '--json'])
  const { publications, consumers } = JSON.parse(stdout)
  const torn = consumers.reduce((total, consumer) => total + consumer.torn, 0)
  if (!(publications > 0) || torn !== 0) throw new Failure(`${publications} publications, ${torn} torn values`)
}
