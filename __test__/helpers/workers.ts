import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Message } from './child.js'

const file = fileURLToPath(new URL('../children/worker.js', import.meta.url))

/** A worker of this process. */
export class Cast {
  readonly #worker: Worker
  readonly #messages: Message[] = []
  readonly #gone: Promise<unknown>

  constructor(role: string, directory: string) {
    this.#worker = new Worker(file, { workerData: { role, directory } })
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
    await delay(100)
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }

  async end(): Promise<void> {
    await this.#gone
  }
}

function gone(): never {
  throw new Error('the worker is gone')
}
