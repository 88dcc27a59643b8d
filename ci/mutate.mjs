// Do the loom scenarios notice what they are there to notice?
//
// Weakens each memory ordering of the protocol's steps in turn, and breaks the steps in other ways; runs the scenarios against each
// mutant until one fails; prints a Markdown table. Works on a copy in a scratch folder. On demand, not part of the tests: some minutes.
//
//   node ci/mutate.mjs [--only TEXT]... [--list]

import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { explanations, structural } from './mutations.mjs'

const { values: options } = parseArgs({ options: { only: { type: 'string', multiple: true, default: [''] }, list: { type: 'boolean' } } })
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = 'crates/core/src'
const files = ['publication/words.rs', 'publication/reader.rs', 'publication/writer.rs', 'memory/range.rs', 'sync/mutex.rs']
const limitMs = 600_000

/** Mutants are built often and run shortly. */
const targets = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'mutants')
const profile = { LTO: 'off', CODEGEN_UNITS: '16', INCREMENTAL: 'true' }
const quickBuild =
  'test --config profile.release.package.pagecast.opt-level=1 --release -p pagecast --test loom --no-run --message-format json'

/** The next weaker ordering of an operation; a fence without its ordering is no fence. */
function weaker(operation, order) {
  if (order !== 'SeqCst') return 'Relaxed'
  return { load: 'Acquire', store: 'Release' }[operation] ?? 'AcqRel'
}

/** One mutant for each ordering stronger than Relaxed. */
function orderings(file, source) {
  const mutants = []
  for (const match of source.matchAll(/Ordering::(SeqCst|AcqRel|Acquire|Release)/g)) {
    const before = source.slice(0, match.index)
    const within = [...before.matchAll(/\bfn (\w+)/g)].at(-1)[1]
    const call = [...before.matchAll(/([\w.()]*)\b(load|store|fetch_\w+|compare_exchange|replace|fence)\(/g)].at(-1)
    const [, receiver, operation] = call
    const end = match.index + match[0].length
    if (operation === 'fence') {
      const name = `${within}: no ${match[1]} fence`
      mutants.push({ file, name, source: source.slice(0, call.index) + source.slice(end + ');'.length) })
    } else {
      const to = weaker(operation, match[1])
      const name = `${within}: ${receiver.replace(/^.*?(\w+\.)$/, '$1')}${operation} ${match[1]} → ${to}`
      mutants.push({ file, name, source: `${before}Ordering::${to}${source.slice(end)}` })
    }
  }
  return mutants
}

/** One mutant for each entry of the list by hand. */
function breakages(file, source) {
  const ours = structural.filter(mutation => mutation.file === file)
  return ours.map(({ name, find, replace }) => {
    const parts = source.split(find)
    if (parts.length !== 2) throw new Error(`${file}, ${name}: what it replaces is there ${parts.length - 1} times`)
    return { file, name, source: parts.join(replace) }
  })
}

function prepare() {
  const scratch = mkdtempSync(join(tmpdir(), 'pagecast-mutate-'))
  const manifest = readFileSync(join(root, 'Cargo.toml'), 'utf8')
  writeFileSync(join(scratch, 'Cargo.toml'), manifest.replace(/members = .*/, 'members = ["crates/core"]'))
  cpSync(join(root, 'Cargo.lock'), join(scratch, 'Cargo.lock'))
  mkdirSync(join(scratch, 'crates'))
  cpSync(join(root, 'crates/core'), join(scratch, 'crates/core'), { recursive: true })
  return scratch
}

/** Builds the scenarios and returns the program that runs them. */
function build(scratch) {
  const env = { ...process.env, RUSTFLAGS: '--cfg pagecast_loom', CARGO_TARGET_DIR: targets }
  for (const [key, value] of Object.entries(profile)) env[`CARGO_PROFILE_RELEASE_${key}`] = value
  const output = execFileSync('cargo', quickBuild.split(' '), {
    cwd: scratch,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 28,
  })
  const lines = output.toString().split('\n').filter(Boolean)
  return lines.map(line => JSON.parse(line)).find(message => message.executable && message.target.name === 'loom').executable
}

/** Runs one scenario in a process of its own: a failure of loom may take the process along. */
function run(program, name, running) {
  return new Promise(resolve => {
    const start = performance.now()
    const child = spawn(program, ['--exact', name, '--nocapture'], { stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', data => (errors = errors.length < 1 << 16 ? errors + data : errors))
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    running.add(child)
    child.on('close', code => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ name, passed: code === 0, seconds: (performance.now() - start) / 1000, how: how(errors) })
    })
  })
}

/** What the first panic says, in a few words. */
function how(errors) {
  const message = /panicked at [^\n]*\n([^\n]*)/.exec(errors)?.[1] ?? 'no end in sight'
  if (message.startsWith('deadlock')) return 'deadlock: a wake-up is lost'
  if (message.includes('Causality violation')) return 'data race'
  return message.replaceAll('|', '\\|').slice(0, 80)
}

/** Runs the scenarios in this order, as many at once as there are processors, until one fails if `untilFailure`. */
async function runAll(program, names, untilFailure) {
  const [queue, running, results] = [[...names], new Set(), []]
  const hasFailed = () => results.some(result => !result.passed)
  const worker = async () => {
    while (queue.length > 0 && !(untilFailure && hasFailed())) {
      const result = await run(program, queue.shift(), running)
      if (untilFailure && hasFailed()) return // killed because of the other's failure
      results.push(result)
      if (untilFailure && !result.passed) for (const child of running) child.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

/** The scenarios, quickest first, after all of them have passed. */
async function baseline(program) {
  const list = execFileSync(program, ['--list', '--format', 'terse'], { encoding: 'utf8' })
  const names = [...list.matchAll(/^(.*): test$/gm)].map(match => match[1]).filter(name => !name.startsWith('litmus'))
  const results = await runAll(program, names, false)
  const failed = results.filter(result => !result.passed)
  if (failed.length > 0) throw new Error(`without any mutation: ${failed.map(result => `${result.name}: ${result.how}`).join(', ')}`)
  return results.sort((a, b) => a.seconds - b.seconds).map(result => result.name)
}

async function judge(scratch, names, mutant) {
  const path = join(scratch, sources, mutant.path)
  const original = readFileSync(path, 'utf8')
  writeFileSync(path, mutant.source)
  try {
    const results = await runAll(build(scratch), names, true)
    return results.find(result => !result.passed)
  } finally {
    writeFileSync(path, original)
  }
}

function verdict(mutant, failure) {
  const why = explanations[`${mutant.file} ${mutant.name}`]
  if (failure) return [`\`${failure.name}\``, why ? `${failure.how} — THE EXPLANATION IS OUT OF DATE` : failure.how]
  return ['–', why ?? 'NOT NOTICED']
}

const mutants = files.flatMap(path => {
  const file = basename(path)
  const source = readFileSync(join(root, sources, path), 'utf8')
  return [...orderings(file, source), ...breakages(file, source)].map(mutant => ({ ...mutant, path }))
})
const chosen = mutants.filter(({ file, name }) => options.only.some(text => `${file} ${name}`.includes(text)))
if (options.list) {
  for (const { file, name } of chosen) console.log(`${file} ${name}`)
  process.exit()
}

const scratch = prepare()
let wrong = 0
try {
  const names = await baseline(build(scratch))
  console.log('| step | mutation | noticed by | how, or why not |\n|---|---|---|---|')
  for (const mutant of chosen) {
    const [step, ...mutation] = mutant.name.split(': ')
    const [by, text] = verdict(mutant, await judge(scratch, names, mutant))
    wrong += /NOT NOTICED|OUT OF DATE/.test(text)
    console.log(`| ${mutant.file} ${step} | ${mutation.join(': ')} | ${by} | ${text} |`)
  }
} finally {
  rmSync(scratch, { recursive: true })
}
process.exitCode = wrong > 0 ? 1 : 0
