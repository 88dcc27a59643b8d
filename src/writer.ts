import { attempt, fromNative, LockError, PublicationError } from './errors.js'
import { MappedSegment } from './mapped-segment.js'
import type { NativePublisher } from './native.js'
import { writerRefusal } from './refusal.js'
import { DEFAULT_TIMEOUT, persist } from './waiting.js'
import type { WriteLock } from './write-lock.js'

/** A publisher's segment and the one write that may be under way. Values are bytes here. */
export class Writer {
  readonly name: string
  readonly segment: MappedSegment
  readonly adopted: boolean
  /** The lock that is out. */
  lock: WriteLock | undefined
  readonly #native: NativePublisher
  #isClosed = false
  #lastTotal = 0

  constructor(name: string, native: NativePublisher) {
    this.name = name
    this.#native = native
    this.adopted = native.adopted
    this.segment = new MappedSegment(`create ${name}`, native)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get totalWrites(): number {
    return this.#isClosed ? this.#lastTotal : this.segment.totalWrites()
  }

  check(operation: string): void {
    if (this.#isClosed) throw new PublicationError('ERR_DISPOSED', `${operation} ${this.name}: this publisher is closed`)
    if (this.lock === undefined) return
    throw new LockError(
      'ERR_ALREADY_LOCKED',
      `${operation} ${this.name}: this publisher holds a write lock; release it first, or write through it`,
    )
  }

  /**
   * The index of a buffer that is the publisher's until {@link commit} or {@link abort}. With `copy` it begins as the
   * current value. Called after {@link check}.
   */
  begin(operation: string, timeout: number | undefined, copy: boolean): number {
    try {
      const index = this.#native.beginWrite(0, copy)
      return index >= 0 ? index : this.#persist(operation, timeout, copy)
    } catch (error) {
      throw fromNative(error)
    }
  }

  #persist(operation: string, timeout: number | undefined, copy: boolean): number {
    const native = this.#native
    const buffers = this.segment.layout.bufferCount
    const patience = timeout ?? (buffers === 1 ? DEFAULT_TIMEOUT : 0)
    try {
      const index = persist(
        -1,
        sliceMs => native.beginWrite(sliceMs, copy),
        () => patience,
      )
      if (index >= 0) return index
      throw writerRefusal(`${operation} ${this.name}`, timeout, buffers, native.holders())
    } catch (error) {
      native.cancelWrite() // readers may come in again
      throw error
    }
  }

  /** Publishes these bytes. */
  write(operation: string, bytes: Uint8Array, timeout: number | undefined): void {
    const index = this.begin(operation, timeout, false)
    this.segment.buffer(index).set(bytes)
    this.commit(bytes.length)
  }

  commit(byteLength: number): void {
    try {
      this.#native.commitWrite(byteLength)
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** Nothing is published. */
  abort(): void {
    attempt(() => this.#native.abortWrite())
  }

  /** A write that is under way is not published. Twice is once. */
  close(keep: boolean): void {
    if (this.#isClosed) return
    this.lock?.abort()
    this.#lastTotal = this.segment.totalWrites()
    this.#isClosed = true
    try {
      attempt(() => this.#native.close(keep))
    } finally {
      this.segment.dispose()
    }
  }
}
