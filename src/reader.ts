import { type Arrival, arrival } from './arrival.js'
import { Attachment, endOf, type Plan } from './attachment.js'
import { elapsed } from './clock.js'
import { isTruncation, LockError, PublicationError } from './errors.js'
import type { Lender } from './lease.js'
import { CLOSED, EMPTY, REPLACED, WRITING } from './native.js'
import { ReadLock } from './read-lock.js'
import { readerPatience, readerRefusal } from './refusal.js'
import { Bell, type Subscribe, sleep, throwIfAborted } from './sleep.js'
import type { Source } from './source.js'
import { persist } from './waiting.js'
import type { Watcher } from './watcher.js'

/** Where the next publisher's segment is not there yet. What was cut short is in its place until then, even if little of it is left. */
const ABSENT_OR_CUT = ['ERR_NOT_FOUND', 'ERR_TRUNCATED', 'ERR_NOT_A_SEGMENT']

function attain(source: Source, timeout: number | undefined, last: boolean): number {
  const outcome = source.begin(0, last)
  if (outcome >= 0) return outcome
  return persist(
    outcome,
    sliceMs => source.begin(sliceMs, last),
    code => readerPatience(code, timeout),
  )
}

/** A consumer's attachment, what it has seen, and the one lock that it may hold. Values are of no known type here. */
export class Reader implements Lender {
  readonly name: string
  /** Rings when this consumer is disposed of: whoever sleeps for it looks again. */
  readonly farewell = new Bell()
  /** The version of the newest value that was handed out. */
  seen = 0
  /** The read lock that is out, if one is. */
  lease = 0
  readonly spoiled = new Map<number, unknown>()
  readonly #plan: Plan
  #attachment: Attachment | undefined

  constructor(plan: Plan, attachment: Attachment) {
    this.name = plan.place.label
    this.#plan = plan
    this.#attachment = attachment
  }

  get readOnly(): boolean {
    return this.#plan.readOnly
  }

  /** Whether its publication has a name, under which another one may come. */
  get isNamed(): boolean {
    return this.#plan.place.native.name !== undefined
  }

  get isDisposed(): boolean {
    return this.#attachment === undefined
  }

  attachment(operation: string): Attachment {
    if (this.#attachment !== undefined) return this.#attachment
    throw new PublicationError('ERR_DISPOSED', `${operation} ${this.name}: this consumer is closed`)
  }

  /** Makes the current value readable; the caller ends that. */
  begin(operation: string, timeout: number | undefined): Source {
    const { source } = this.attachment(operation)
    if (this.lease !== 0) this.#refuseSecond(operation)
    const outcome = attain(source, timeout, false)
    if (outcome < 0) throw this.refusal(operation, outcome, timeout)
    return source
  }

  /** Copies the current value's bytes if that can be done at once: their number; below 0: {@link begin} is needed. */
  copyAtOnce(operation: string, target: Uint8Array): number {
    const { source } = this.attachment(operation)
    if (this.lease !== 0) this.#refuseSecond(operation)
    const byteLength = source.copyAtOnce(target)
    if (byteLength >= 0) this.seen = source.version
    return byteLength
  }

  /** Why there was no value. */
  refusal(operation: string, code: number, timeout?: number): Error {
    return readerRefusal(code, `${operation} ${this.name}`, timeout, this.attachment(operation).native)
  }

  #refuseSecond(operation: string): never {
    throw new LockError(
      'ERR_ALREADY_LOCKED',
      `${operation} ${this.name}: this consumer holds a read lock; release it first, or read through it`,
    )
  }

  /** A copy of the current value if it is newer than what was handed out so far. An ended publication's last value counts. */
  readChange(operation: string, timeout: number | undefined): unknown {
    const attachment = this.attachment(operation)
    if (this.lease !== 0) this.#refuseSecond(operation)
    const end = endOf(attachment.state()) // before the look for a value: nothing comes after the end
    if (attachment.currentVersion() > this.seen) {
      const value = this.#readNewer(operation, attachment, timeout)
      if (value !== undefined) return value
    }
    if (end !== 0) throw this.refusal(operation, end)
    return undefined
  }

  #readNewer(operation: string, { source, decoding }: Attachment, timeout: number | undefined): unknown {
    const outcome = attain(source, timeout, true)
    if (outcome === EMPTY) return undefined
    if (outcome < 0) throw this.refusal(operation, outcome, timeout)
    try {
      if (source.version <= this.seen) return undefined
      const value = decoding.read(source)
      this.seen = source.version
      return value
    } finally {
      source.end()
    }
  }

  /** Where `changes` gets its copies: it must not be kept from them by a lock that the same consumer holds. */
  copies(attachment: Attachment): Source {
    return this.lease === 0 ? attachment.source : attachment.copies
  }

  lock(operation: string, timeout: number | undefined): ReadLock {
    this.#checkLockable(operation)
    return this.#hand(operation, this.begin(operation, timeout))
  }

  /** Undefined: not now. */
  tryLock(operation: string): ReadLock | undefined {
    this.#checkLockable(operation)
    const { source } = this.attachment(operation)
    if (this.lease !== 0) this.#refuseSecond(operation)
    const outcome = source.begin(0, false)
    if (outcome === CLOSED || outcome === REPLACED) throw this.refusal(operation, outcome)
    return outcome < 0 ? undefined : this.#hand(operation, source)
  }

  /** As {@link lock}, on the event loop. */
  async lockAsync(operation: string, timeout: number | undefined, signal: AbortSignal | undefined): Promise<ReadLock> {
    this.#checkLockable(operation)
    const start = elapsed()
    for (;;) {
      throwIfAborted(`${operation} ${this.name}`, signal)
      const { source, watcher, state } = this.#lookAt(operation)
      const outcome = source.begin(0, false)
      watcher.endGrace()
      if (outcome >= 0) return this.#hand(operation, source)
      const left = readerPatience(outcome, timeout) - (elapsed() - start)
      if (left <= 0) throw this.refusal(operation, outcome, timeout)
      await sleep({ ms: left, signal }, watcher.changed(state, outcome === WRITING), this.farewell.subscribe)
      if (signal?.aborted && !this.isDisposed) watcher.endGrace()
    }
  }

  // The state is loaded before the attempt to lock: a change in between ends the sleep that follows.
  #lookAt(operation: string): { source: Source; watcher: Watcher; state: number } {
    const attachment = this.attachment(operation)
    if (this.lease !== 0) this.#refuseSecond(operation)
    return { source: attachment.source, watcher: attachment.watcher, state: attachment.state() }
  }

  #checkLockable(operation: string): void {
    if (!this.readOnly) return
    const instead = 'use read, readInto, readChange or changes, which copy'
    throw new LockError('ERR_READ_ONLY', `${operation} ${this.name}: a read-only consumer cannot hold a lock; ${instead}`)
  }

  #hand(operation: string, source: Source): ReadLock {
    const { decoding } = this.attachment(operation)
    try {
      source.check()
    } catch (error) {
      source.letGo()
      throw error
    }
    this.seen = source.version
    return new ReadLock(operation, source, decoding, this)
  }

  #endLock({ source }: Attachment): void {
    if (this.lease === 0) return
    this.lease = 0
    source.end()
  }

  /** Waits until the publication goes on, in this segment or in another one of that name, or until it `isOver` for the caller. */
  async reopen(
    what: string,
    wait: Pick<Arrival<true>, 'timeout' | 'timeoutInAll' | 'signal' | 'ref'>,
    isOver: () => boolean,
    also: Subscribe,
  ): Promise<void> {
    const { name = '', directory } = this.#plan.place.native
    await arrival({ ...wait, what, name, directory, also, attempt: () => (isOver() ? true : this.#revive(what)) })
  }

  #revive(what: string): true | undefined {
    const old = this.attachment(what)
    if (old.end() === 0) return true // its next publisher took it over
    const next = Attachment.openLiving(what, this.#plan, ABSENT_OR_CUT)
    if (next === undefined) return undefined
    this.#attachment = next
    this.seen = 0
    this.#leave(old)
    return true
  }

  // What was seen under a lock over it is for the holder of that lock to hear, and no reason for others not to go on.
  #leave(old: Attachment): void {
    const { lease } = this
    try {
      this.#letGoOf(old)
    } catch (error) {
      if (!isTruncation(error)) throw error
      this.spoiled.set(lease, error)
    }
  }

  /** Lets go of everything. Twice is once. Throws `ERR_TRUNCATED`, when all is done, as the release of the lock would have that is out. */
  dispose(): void {
    const attachment = this.#attachment
    if (attachment === undefined) return
    this.#attachment = undefined
    this.#letGoOf(attachment)
  }

  #letGoOf(attachment: Attachment): void {
    try {
      this.#endLock(attachment)
    } finally {
      attachment.close()
      this.farewell.ring() // others may sleep for this segment
    }
  }
}
