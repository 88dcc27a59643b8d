import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Child, Message } from './child.js'
import type { Scene } from './scene.js'

/** What may be killed: a process in Rust or TypeScript, or a worker whose process lives on. */
export const kinds = ['rust', 'typescript', 'worker'] as const
export type Kind = (typeof kinds)[number]

const built = fileURLToPath(new URL('../../testing/', import.meta.url))
const { PAGECAST_TESTING_ADDON: addon = join(built, 'pagecast.node'), PAGECAST_TESTING_EXAMPLES: examples = built } = process.env

const script = fileURLToPath(new URL('../children/actor.js', import.meta.url))

/** More steps than any operation takes. */
const NEVER = 1_000_000

/** A process that does what it is told; see `crates/core/examples/actor.rs`. */
export class Actor {
  readonly #child: Child
  readonly #isWorker: boolean
  /** What was told while nobody asked. */
  #woken: Message | undefined

  /** `wrapper` is a command that runs the actor, if anything does. */
  static async start(scene: Scene, kind: Kind, env: NodeJS.ProcessEnv = {}, wrapper: readonly string[] = []): Promise<Actor> {
    const program = kind === 'rust' ? [join(examples, 'actor')] : [process.execPath, '--enable-source-maps', script]
    const [command = '', ...args] = [...wrapper, ...program, scene.directory, ...(kind === 'worker' ? ['worker'] : [])]
    const child = scene.program(command, args, { ...env, NAPI_RS_NATIVE_LIBRARY_PATH: addon })
    await child.says('ready')
    return new Actor(child, kind === 'worker')
  }

  private constructor(child: Child, isWorker: boolean) {
    this.#child = child
    this.#isWorker = isWorker
  }

  /** Has it do something, and does not wait for the answer. */
  tell(...words: (string | number)[]): void {
    this.#child.tell(`- ${words.join(' ')}`)
  }

  /** The answer: the value that was read, if one was, or the code of the failure. */
  async answer(): Promise<Message> {
    for (;;) {
      const message = await this.#child.report()
      if (message.event !== 'woken') return message
      this.#woken = message
    }
  }

  /** Has it do something that must not fail. */
  async does(...words: (string | number)[]): Promise<Message> {
    this.tell(...words)
    return this.#done(await this.answer(), words)
  }

  #done(message: Message, words: readonly unknown[]): Message {
    if (message.event === 'done') return message
    throw new Error(`${words.join(' ')}: ${JSON.stringify(message)} from ${this.#child.account}`)
  }

  /** What it reads: a value, which is always a whole one, or a code. */
  async reads(consumer: number, verb: 'read' | 'copy' = 'read'): Promise<Message & { found: unknown }> {
    this.tell(verb, consumer)
    const message = await this.answer()
    return { ...message, found: message.value ?? message.code }
  }

  /** Waits until it has seen what it was to wait for. */
  async wakes(): Promise<unknown> {
    const message = this.#woken ?? (await this.#child.says('woken'))
    this.#woken = undefined
    return message.value ?? message.code
  }

  /** The names of all steps of an operation, which it takes. */
  async traces(...words: (string | number)[]): Promise<string[]> {
    this.#child.tell(`${NEVER} ${words.join(' ')}`)
    return this.#done(await this.answer(), words).steps as string[]
  }

  /** Has it begin an operation and stop before the step of that number. */
  async stopsBefore(step: number, ...words: (string | number)[]): Promise<string> {
    this.#child.tell(`${step} ${words.join(' ')}`)
    const message = await this.answer()
    if (message.event === 'stopped') return String(message.step)
    throw new Error(`${words.join(' ')} never took step ${step}: ${JSON.stringify(message)}`)
  }

  async fallsAsleep(): Promise<void> {
    await this.#child.fallsAsleep()
  }

  /** Stops its process where it stands, until {@link goesOn}. */
  async stops(): Promise<void> {
    await this.#child.stops()
  }

  goesOn(): void {
    this.#child.kill('SIGCONT')
  }

  /** Ends it where it stands: SIGKILL, or `worker.terminate()`. */
  async die(): Promise<void> {
    if (this.#isWorker) {
      this.#child.tell('terminate')
      while ((await this.#child.report()).event !== 'gone');
    } else {
      this.#child.kill('SIGKILL')
      await this.#child.gone
    }
  }

  /** Ends it, and the process that a worker leaves. */
  async end(): Promise<void> {
    await this.#child.end()
  }
}
