import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Message } from './child.js'

/** A worker of this process. */
export class Cast {
  readonly #worker: Worker
  readonly #messages: Message[] = []
  readonly #gone: Promise<unknown>

  /** Runs a program of `__test__/children`. */
  constructor(program: string, workerData: unknown) {
    this.#worker = new Worker(fileURLToPath(new URL(`../children/${program}.js`, import.meta.url)), { workerData })
    this.#worker.on('message', message => this.#messages.push(message))
    this.#gone = once(this.#worker, 'exit') // rejects with what the worker throws
    this.#gone.catch(() => {})
  }

  /** The next thing it says, which is to be `event`. */
  async says(event: string): Promise<Message> {
    while (this.#messages.length === 0) await Promise.race([once(this.#worker, 'message'), this.#gone.then(gone)])
    const message = this.#messages.shift() as Message
    if (message.event !== event) throw new Error(`expected to hear ${event}, heard ${JSON.stringify(message)}`)
    return message
  }

  tell(word: string): void {
    this.#worker.postMessage(word)
  }

  /** Until it is inside what it said it would wait for, as far as one can know. */
  async waits(): Promise<void> {
    await this.says('waiting')
    await Promise.race([delay(100), this.#gone.then(gone)])
    if (this.#messages.length > 0) throw new Error(`expected it to wait, heard ${JSON.stringify(this.#messages)}`)
  }

  /** Milliseconds until it was gone. */
  async terminate(): Promise<number> {
    const start = performance.now()
    await this.#worker.terminate()
    return performance.now() - start
  }

  async end(): Promise<void> {
    await this.#gone
  }
}

function gone(): never {
  throw new Error('the worker is gone')
}
