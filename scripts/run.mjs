// Runs the commands of the other scripts, and lets none of them outlive us.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** A failure that is told in one line, without a stack. */
export class Failure extends Error {}

/** Runs a script's main function, which may return an exit code; a `Failure` becomes one line and exit code 1. */
export async function main(body) {
  try {
    process.exitCode = await body()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.error(`pagecast: ${error.message}`)
    process.exitCode = 1
  }
}

/**
 * Runs a command in the project's root and resolves to its exit code (or the signal that ended it) and what it printed.
 * `stdout` and `stderr` say where its streams are shown: process.stdout, process.stderr or (null) nowhere; by default both on
 * standard error, as build noise should. After `minutes` the command is ended.
 */
export function run(command, args, { env = {}, stdout = process.stderr, stderr = process.stderr, minutes = 20 } = {}) {
  // A group of its own: a signal then reaches the children of npm, napi and cargo too, which these do not pass on.
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed = { stdout: collect(child.stdout, stdout), stderr: collect(child.stderr, stderr) }
  const timer = setTimeout(end, minutes * 60_000, child, 'SIGTERM')
  const release = guard(child)
  return new Promise((resolve, reject) => {
    child.once('error', error => reject(new Failure(`${command}: ${error.message}`)))
    // An orphan that still holds the pipes must not keep us waiting.
    child.once('exit', () => setTimeout(closePipes, 2000, child).unref())
    // After a signal nothing goes on: `interrupt` ends the process.
    child.once(
      'close',
      (code, signal) => interrupted || resolve({ code: code ?? signal, stdout: printed.stdout(), stderr: printed.stderr() }),
    )
  }).finally(() => {
    clearTimeout(timer)
    release()
  })
}

/** As `run`, and throws when the command fails. */
export async function runOrFail(command, args, options) {
  const result = await run(command, args, options)
  if (result.code !== 0) throw new Failure(`${[command, ...args].join(' ')} failed (${result.code})`)
  return result
}

function collect(stream, shown) {
  const chunks = []
  stream.on('data', chunk => {
    chunks.push(chunk)
    shown?.write(chunk)
  })
  return () => Buffer.concat(chunks).toString()
}

function closePipes({ stdout, stderr }) {
  stdout.destroy()
  stderr.destroy()
}

const running = new Set()
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
let interrupted = false

/** Passes signals on to the child while it runs; afterwards they are the caller's own again. */
function guard(child) {
  if (running.size === 0) for (const signal of signals) process.on(signal, interrupt)
  running.add(child)
  return () => {
    running.delete(child)
    if (running.size === 0) for (const signal of signals) process.off(signal, interrupt)
  }
}

function interrupt(signal) {
  // npm repeats the terminal's signal: once is enough.
  if (interrupted) return
  interrupted = true
  for (const child of running) {
    child.once('exit', () => {
      running.delete(child)
      if (running.size === 0) process.exit(128 + constants.signals[signal])
    })
    end(child, signal)
  }
}

/** Sends the signal to the child's group, and ends what of it outlives the child or stays for ten seconds. */
function end(child, signal) {
  child.once('exit', () => killGroup(child, 'SIGKILL'))
  setTimeout(killGroup, 10_000, child, 'SIGKILL').unref()
  killGroup(child, signal)
}

function killGroup(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch {
    // It has just ended.
  }
}
