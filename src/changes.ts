import { type Attachment, endOf } from './attachment.js'
import { elapsed } from './clock.js'
import { isTruncation } from './errors.js'
import { CLOSED, TRUNCATED, WRITING } from './native.js'
import type { Reader } from './reader.js'
import { changeRefusal } from './refusal.js'
import { Bell, sleep, throwIfAborted } from './sleep.js'

/** How to iterate; arguments are checked. */
export interface Pace {
  /** Milliseconds to wait for each value; may be Infinity. */
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  /** Least milliseconds between two values. */
  readonly periodMs: number
  readonly reopen: boolean
  readonly ref: boolean
  readonly withMeta: boolean
}

/**
 * The values of a consumer as they come. Each iteration has its own cursor. A return while a value is awaited ends that
 * wait at once, which a bare generator would not do.
 */
export class Changes implements AsyncIterableIterator<unknown> {
  readonly #reader: Reader
  readonly #pace: Pace
  readonly #what: string
  readonly #steps: AsyncGenerator<unknown, undefined>
  readonly #stop = new Bell()
  #isStopped = false
  /** The newest version handed out, of the segment that is {@link Changes.#attachment}. */
  #cursor = 0
  #attachment: Attachment | undefined
  #isShutOut = false
  /** When the wait for the next value began. */
  #since = 0

  constructor(reader: Reader, pace: Pace) {
    this.#reader = reader
    this.#pace = pace
    this.#what = `changes ${reader.name}`
    this.#steps = this.#run()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#steps.next()
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#end()
    return this.#steps.return(undefined)
  }

  throw(error: unknown): Promise<IteratorResult<unknown, undefined>> {
    this.#end()
    return this.#steps.throw(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #end(): void {
    this.#isStopped = true
    this.#stop.ring()
  }

  get #left(): number {
    return this.#pace.timeout - (elapsed() - this.#since)
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#reader.isDisposed
  }

  async *#run(): AsyncGenerator<unknown, undefined> {
    this.#since = elapsed()
    while (!this.#isOver) {
      throwIfAborted(this.#what, this.#pace.signal)
      const attachment = this.#follow()
      const { state, end, change } = this.#look(attachment)
      attachment.watcher.endGrace()
      if (change !== undefined) {
        const due = elapsed() + this.#pace.periodMs
        yield change
        await this.#rest(due - elapsed())
        this.#since = elapsed()
      } else if (end === 0) {
        if (this.#left <= 0) throw changeRefusal(this.#what, this.#pace.timeout, attachment.native)
        await sleep({ ...this.#pace, ms: this.#left }, attachment.watcher.changed(state, this.#isShutOut), this.#wake)
        if (this.#isStopped || this.#pace.signal?.aborted) attachment.watcher.endGrace()
      } else if (!(await this.#continueAfter(end))) {
        return undefined
      }
    }
    return undefined
  }

  #follow(): Attachment {
    const attachment = this.#reader.attachment('changes')
    if (attachment !== this.#attachment) this.#cursor = 0
    this.#attachment = attachment
    return attachment
  }

  #look(attachment: Attachment): { state: number; end: number; change: unknown } {
    try {
      const state = attachment.state() // before the look for a value: a change in between ends the sleep that follows
      return { state, end: endOf(state), change: this.#take(attachment) }
    } catch (error) {
      if (!this.#pace.reopen || !isTruncation(error)) throw error
      return { state: 0, end: TRUNCATED, change: undefined }
    }
  }

  /** A copy of the current value if it is newer than the last one. */
  #take(attachment: Attachment): unknown {
    const source = this.#reader.copies(attachment)
    const outcome = source.begin(0, true)
    this.#isShutOut = outcome === WRITING
    if (outcome < 0) return undefined
    try {
      if (source.version <= this.#cursor) return undefined
      const value = attachment.decoding.read(source)
      this.#cursor = source.version
      this.#reader.seen = Math.max(this.#reader.seen, source.version)
      if (!this.#pace.withMeta) return value
      return { value, version: source.version, stalenessMs: source.stalenessMs(), epoch: attachment.epoch() }
    } finally {
      source.end()
    }
  }

  async #rest(ms: number): Promise<void> {
    if (ms > 0 && !this.#isOver) await sleep({ ...this.#pace, ms }, this.#wake)
  }

  // What is the iterator's own to wake up for.
  readonly #wake = (wake: () => void): (() => void) => {
    const undoStop = this.#stop.subscribe(wake)
    const undoFarewell = this.#reader.farewell.subscribe(wake)
    return () => {
      undoStop()
      undoFarewell()
    }
  }

  async #continueAfter(end: number): Promise<boolean> {
    if (this.#pace.reopen) {
      await this.#reader.reopen(
        this.#what,
        { ...this.#pace, timeout: Math.ceil(this.#left), timeoutInAll: this.#pace.timeout },
        () => this.#isOver,
        this.#wake,
      )
      return true
    }
    if (end === CLOSED) return false
    throw this.#reader.refusal('changes', end)
  }
}
