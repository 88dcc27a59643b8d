// A process that takes part, as the hammer sees it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const script = join(import.meta.dirname, 'party.mjs')
const program = join(import.meta.dirname, '..', '.build', 'rust', 'hammer')
/** As in `party.mjs` and the Rust example. */
const REPORT_MS = 20

export class Party {
  isReady = false
  isPublishing = false
  /** Resolves when it is gone: with what went wrong, unless it was killed. */
  exit
  #child
  #heardAt = 0
  #isKilled = false

  constructor(isRust, args, hear) {
    const [command, ...first] = isRust ? [program] : [process.execPath, script]
    this.#child = spawn(command, [...first, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
    let errors = ''
    this.#child.stderr.on('data', data => {
      errors += data
    })
    createInterface(this.#child.stdout).on('line', line => this.#take(line, hear))
    this.exit = new Promise(resolve => {
      this.#child.once('error', error => resolve(error.message))
      this.#child.once('close', (code, signal) => {
        resolve(this.#isKilled ? undefined : `${command} ${args[0]}: ${code ?? signal}: ${errors.slice(0, 2000)}`)
      })
    })
  }

  // The last line of a killed process may be half of one.
  #take(line, hear) {
    if (!line.endsWith('}')) return
    const message = JSON.parse(line)
    this.#heardAt = performance.now()
    if (message.event !== undefined) this.isReady = !this.#isKilled
    if (message.event === 'publishing') this.isPublishing = !this.#isKilled
    hear(message)
  }

  /** How much longer it has said nothing than it may between two reports. */
  get silenceMs() {
    return Math.max(0, performance.now() - this.#heardAt - REPORT_MS)
  }

  kill() {
    this.#isKilled = true
    this.isReady = false
    this.isPublishing = false
    this.#child.kill('SIGKILL')
  }
}
