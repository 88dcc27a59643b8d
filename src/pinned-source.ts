import { fromNative, SegmentError } from './errors.js'
import type { MappedSegment } from './mapped-segment.js'
import type { NativeConsumer } from './native.js'
import { ReaderSteps } from './protocol.js'
import type { Source } from './source.js'
import type { Memory } from './struct/memory.js'
import { typedArrayLength } from './struct/typed-arrays.js'

const { set } = Uint8Array.prototype

/** Values that may be longer are worth a pin: a copy without one may have to be done again. */
const MOST_AT_ONCE = 4096

/** Values in the shared memory itself: the publisher cannot change what is pinned. */
export class PinnedSource implements Source {
  readonly memory: Memory
  byteOffset = 0
  byteLength = 0
  version = 0
  #index = 0
  readonly #native: NativeConsumer
  readonly #segment: MappedSegment
  readonly #steps: ReaderSteps
  readonly #capacity: number
  readonly #shortest: number

  /** `isFixed`: all values have the same length, as those of a struct. */
  constructor(native: NativeConsumer, segment: MappedSegment, isFixed: boolean) {
    this.memory = segment.memory
    this.#native = native
    this.#segment = segment
    this.#steps = new ReaderSteps(segment.words, native.slot, native)
    this.#capacity = segment.layout.capacity
    this.#shortest = isFixed ? this.#capacity : 0
  }

  begin(sliceMs: number, last: boolean): number {
    let index = this.#steps.pin()
    if (index < 0) index = this.#persist(sliceMs, last)
    if (index >= 0) this.#show(index)
    return index
  }

  // What cannot be done at once is the native part's: to sleep, and to ask who lives.
  #persist(sliceMs: number, last: boolean): number {
    try {
      return this.#native.pin(sliceMs, last)
    } catch (error) {
      throw fromNative(error)
    }
  }

  #show(index: number): void {
    const { words } = this.#segment
    this.#index = index
    this.byteOffset = this.#segment.byteOffset(index)
    this.byteLength = words.wide(words.lengths, index)
    this.version = words.wide(words.versions, index)
    if (this.byteLength <= this.#capacity) return
    this.letGo()
    throw new SegmentError('ERR_CORRUPT', `read: the segment says its value has ${this.byteLength} bytes where ${this.#capacity} fit`)
  }

  copyAtOnce(target: Uint8Array): number {
    const index = this.#capacity > MOST_AT_ONCE ? -1 : this.#steps.glance()
    if (index < 0) return -1
    const { words } = this.#segment
    const byteLength = words.wide(words.lengths, index)
    if (byteLength < this.#shortest || byteLength > this.#capacity || byteLength > typedArrayLength(target) || byteLength === 0) return -1 // the other way says why
    const version = words.wide(words.versions, index)
    set.call(target, this.#segment.value(index, byteLength)) // the engine's own: no code of the caller runs meanwhile
    if (!this.#steps.wasWhole()) return -1
    this.#segment.check()
    this.version = version
    return byteLength
  }

  bytes(): Uint8Array {
    return this.#segment.value(this.#index, this.byteLength)
  }

  stalenessMs(): number {
    return this.#segment.stalenessMs(this.#index)
  }

  check(): void {
    this.#segment.check()
  }

  end(): void {
    this.#steps.unpin()
    this.#segment.check()
  }

  letGo(): void {
    this.#steps.unpin()
  }
}
