import { clock } from './clock.js'
import type { EnginePages } from './engine-pages.js'
import { attempt, fromNative, LockError, PublicationError } from './errors.js'
import type { Lender } from './lease.js'
import { MappedSegment } from './mapped-segment.js'
import type { NativePublisher } from './native.js'
import { STATE_EMPTY, WriterSteps } from './protocol.js'
import { writerRefusal } from './refusal.js'
import { DEFAULT_TIMEOUT, persist } from './waiting.js'

const NS_PER_MS = 1e6

/** How often, at the most, the kernel is asked whether observers may sleep, in milliseconds. */
const OBSERVERS_PROBE = 10

/** A publisher's segment and the one write that may be under way. Values are bytes here. */
export class Writer implements Lender {
  readonly name: string
  readonly segment: MappedSegment
  readonly adopted: boolean
  /** The write lock that is out, if one is. */
  lease = 0
  readonly #native: NativePublisher
  readonly #steps: WriterSteps
  /** The buffer that is being written; -1: none. */
  #index = -1
  #version: number
  /** One buffer: the value from before the write. */
  #backup: Uint8Array | undefined
  #observersAsked = 0
  #observersPresent = true
  #isClosed = false
  #lastTotal = 0

  constructor(name: string, native: NativePublisher, pages: EnginePages) {
    this.name = name
    this.#native = native
    this.adopted = native.adopted
    this.segment = new MappedSegment(`create ${name}`, name, native, pages)
    this.#steps = new WriterSteps(this.segment.words, native)
    this.#version = native.version()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get fd(): number {
    this.#checkOpen('fd')
    return attempt(() => this.#native.fd())
  }

  get totalWrites(): number {
    return this.#isClosed ? this.#lastTotal : this.segment.sound(this.segment.totalWrites())
  }

  #checkOpen(operation: string): void {
    if (this.#isClosed) throw new PublicationError('ERR_DISPOSED', `${operation} ${this.name}: this publisher is closed`)
  }

  check(operation: string): void {
    this.#checkOpen(operation)
    if (this.lease === 0 && this.#index < 0) return
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
    let index = this.#steps.choose()
    if (index < 0) index = this.#persist(operation, timeout)
    try {
      this.#backup = undefined
      if (copy) this.#copy(index)
      this.segment.check()
    } catch (error) {
      this.#steps.letIn()
      throw error
    }
    this.#steps.begin(index)
    this.#index = index
    return index
  }

  // What cannot be done at once is the native part's: to sleep, to let waiting readers in, and to recover the dead.
  #persist(operation: string, timeout: number | undefined): number {
    const native = this.#native
    const { buffers } = this.segment.words
    const patience = timeout ?? (buffers === 1 ? DEFAULT_TIMEOUT : 0)
    try {
      const index = persist(
        native.acquire(0),
        sliceMs => native.acquire(sliceMs),
        () => patience,
      )
      if (index >= 0) return index
      throw writerRefusal(`${operation} ${this.name}`, timeout, buffers, native.holders())
    } catch (error) {
      native.cancelWrite() // readers may come in again
      throw fromNative(error)
    }
  }

  // Several buffers: the current value into the new one. One: into private memory, for an abort.
  #copy(index: number): void {
    const { segment } = this
    const current = segment.currentIndex()
    const length = current < 0 ? 0 : segment.byteLength(current)
    if (current === index) {
      this.#backup = segment.buffer(index).slice(0, length)
      return
    }
    this.#steps.begin(index)
    if (current < 0) segment.buffer(index).fill(0)
    else
      segment.buffer(index).set(length === segment.layout.capacity ? segment.buffer(current) : segment.buffer(current).subarray(0, length))
  }

  /** Publishes these bytes, of which there really are so many, and no more than fit. No code of the caller runs from here on. */
  write(operation: string, bytes: Uint8Array, byteLength: number, timeout: number | undefined): void {
    this.check(operation) // options and values may have getters, which may have closed or locked this publisher
    const index = this.begin(operation, timeout, false)
    try {
      this.segment.buffer(index).set(bytes)
    } catch (error) {
      this.abort() // another thread made a growable buffer longer meanwhile
      throw error
    }
    this.commit(byteLength)
  }

  commit(byteLength: number): void {
    const { words } = this.segment
    const index = this.#index
    const time = clock()
    this.#version += 1
    words.setWide(words.lengths, index, byteLength)
    words.setWide(words.versions, index, this.#version)
    words.setWide(words.timestamps, index, time * NS_PER_MS)
    this.#steps.end(index)
    this.#index = -1
    this.segment.check() // of a value that went to pages which are gone nobody is told
    this.#steps.publish(index + 1, this.#areObserversPresent(time))
  }

  /** Nothing is published. With one buffer the value from before comes back, if there is a copy of it; else there is none. */
  abort(): void {
    const index = this.#index
    this.#index = -1
    if (index < 0) return
    const backup = this.#backup
    if (backup !== undefined) this.segment.buffer(index).set(backup)
    if (this.segment.words.buffers > 1) return
    // Without a value it stays marked as being written: should this process die now, no successor takes it for whole.
    if (backup !== undefined) this.#steps.end(index)
    this.#steps.publish(backup === undefined ? STATE_EMPTY : index + 1, this.#observersPresent)
  }

  // Observers cannot say in the segment that they sleep; the kernel is asked now and then.
  #areObserversPresent(time: number): boolean {
    if (time - this.#observersAsked >= OBSERVERS_PROBE) {
      this.#observersAsked = time
      this.#observersPresent = this.#native.observersPresent()
    }
    return this.#observersPresent
  }

  /** Lets go of the publication as a dying process would: its next publisher adopts it. */
  abandon(): void {
    this.#isClosed = true
    this.#native.abandon()
    this.segment.dispose()
  }

  /** A write that is under way is not published. Twice is once. */
  close(keep: boolean): void {
    if (this.#isClosed) return
    this.lease = 0
    this.abort()
    this.#lastTotal = this.segment.totalWrites()
    this.#isClosed = true
    try {
      attempt(() => this.#native.close(keep))
    } finally {
      this.segment.dispose()
    }
  }
}
