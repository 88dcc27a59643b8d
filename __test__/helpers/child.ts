import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** What a child says: one line of JSON. */
export interface Message {
  readonly event?: string
  readonly [fact: string]: unknown
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ChildOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Options of node itself. */
  readonly nodeArguments?: readonly string[]
  /** What it gets as descriptor 3 and those that follow. */
  readonly descriptors?: readonly number[]
}

/** A process under test. It speaks lines of JSON and hears lines of text. */
export class Child {
  readonly title: string
  /** How it ended, once all it said was heard. */
  readonly exit: Promise<Exit>
  /** Settled as soon as it is gone, also if a process that it started holds its output open. */
  readonly gone: Promise<unknown>
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  #errors = ''
  #last = 'nothing'

  /** Runs a program of `__test__/children`. */
  static node(program: string, args: readonly unknown[], options: ChildOptions = {}): Child {
    const { env, nodeArguments = [], descriptors } = options
    const file = fileURLToPath(new URL(`../children/${program}.js`, import.meta.url))
    return new Child(process.execPath, [...nodeArguments, '--enable-source-maps', file, ...args.map(String)], env, program, descriptors)
  }

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, title = command, descriptors: readonly number[] = []) {
    this.title = `${title} ${args.slice(args.indexOf('--enable-source-maps') + 1).join(' ')}`
    // `detached` stays off: Ctrl-C in a terminal reaches the children of the tests too.
    const stdio = ['pipe', 'pipe', 'pipe', ...descriptors] as ['pipe', 'pipe', 'pipe']
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio })
    child.stderr.on('data', chunk => {
      this.#errors = (this.#errors + chunk).slice(-4000)
    })
    child.stdin.on('error', () => {}) // it ended before it heard everything
    this.#process = child
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    this.exit = once(child, 'close').then(([code, signal]) => ({ code, signal }))
    this.gone = once(child, 'exit')
    for (const end of [this.exit, this.gone]) end.catch(() => {}) // a failure to start is told by whoever waits for it
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** What it said and complained last, for a person who wonders why a test hangs. */
  get account(): string {
    const { exitCode, signalCode } = this.#process
    const fate = exitCode === null && signalCode === null ? 'running' : `ended (${exitCode ?? signalCode})`
    return `${this.title}, pid ${this.pid}, ${fate}, said last: ${this.#last}${this.#errors === '' ? '' : `, stderr:\n${this.#errors}`}`
  }

  /** The next thing it says, which is to be `event`. */
  async says(event: string): Promise<Message> {
    const message = await this.report()
    if (message.event === event) return message
    throw new Error(`expected to hear ${event} from ${this.account}`)
  }

  /** The next thing it says. */
  async report(): Promise<Message> {
    return JSON.parse(await this.line()) as Message
  }

  /** The next line it prints. */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) {
      await this.exit
      throw new Error(`nothing more to hear from ${this.account}`)
    }
    this.#last = value
    return value
  }

  /** Tells it something, or that there is nothing more to come. */
  tell(word?: string): void {
    if (word === undefined) this.#process.stdin?.end()
    else this.#process.stdin?.write(`${word}\n`)
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Stops it, and waits until all its threads are: what it is sent from then on it does not read. */
  async stops(): Promise<void> {
    this.kill('SIGSTOP')
    while (!this.#areAll('T')) await delay(1)
  }

  /** Whether all its threads are in that state. */
  #areAll(state: 'S' | 'T'): boolean {
    const tasks = `/proc/${this.pid}/task`
    return readdirSync(tasks).every(thread => stateOf(`${tasks}/${thread}/stat`) === state)
  }

  /** Ends it, if it still runs, and waits for that. */
  async end(): Promise<void> {
    this.kill('SIGKILL')
    await this.exit.catch(() => {})
  }

  /** Fails unless it ends well. */
  async succeeds(): Promise<void> {
    const { code, signal } = await this.exit
    if (code !== 0) throw new Error(`expected success (${code ?? signal}): ${this.account}`)
  }

  /**
   * Until the kernel has seen all its threads asleep several times in a row: a child that waits synchronously waits by then. All, because a main thread may
   * sleep until one of the engine's others is done, and that one may have no core.
   */
  async fallsAsleep(): Promise<void> {
    for (let sightings = 0; sightings < 5; await delay(5)) sightings = this.#areAll('S') ? sightings + 1 : 0
  }
}

/** Of a thread, as the kernel tells it: proc_pid_stat(5). Undefined: it has ended. */
function stateOf(file: string): string | undefined {
  try {
    const stat = readFileSync(file, 'utf8')
    return stat[stat.lastIndexOf(')') + 2]
  } catch {
    return undefined
  }
}
