import { fromNative, SegmentError } from './errors.js'
import type { MappedSegment } from './mapped-segment.js'
import { CLOSED, type NativeConsumer, REPLACED } from './native.js'
import type { Source } from './source.js'
import type { Memory } from './struct/memory.js'

/** Values in the shared memory itself: the publisher cannot change what is pinned. */
export class PinnedSource implements Source {
  readonly memory: Memory
  byteOffset = 0
  byteLength = 0
  version = 0
  #index = 0
  readonly #native: NativeConsumer
  readonly #segment: MappedSegment

  constructor(native: NativeConsumer, segment: MappedSegment) {
    this.memory = segment.memory
    this.#native = native
    this.#segment = segment
  }

  begin(sliceMs: number, last: boolean): number {
    const index = this.#lock(sliceMs, last)
    if (index >= 0) this.#show(index)
    return index
  }

  #lock(sliceMs: number, last: boolean): number {
    try {
      const index = this.#native.lock(sliceMs)
      return last && (index === CLOSED || index === REPLACED) ? this.#native.lockLast() : index
    } catch (error) {
      throw fromNative(error)
    }
  }

  #show(index: number): void {
    this.#index = index
    this.byteOffset = this.#segment.byteOffset(index)
    this.byteLength = this.#segment.byteLength(index)
    this.version = this.#segment.version(index)
    const { capacity } = this.#segment.layout
    if (this.byteLength <= capacity) return
    this.end()
    throw new SegmentError('ERR_CORRUPT', `read: the segment says its value has ${this.byteLength} bytes where ${capacity} fit`)
  }

  bytes(): Uint8Array {
    const buffer = this.#segment.buffer(this.#index)
    return this.byteLength === buffer.length ? buffer : buffer.subarray(0, this.byteLength)
  }

  stalenessMs(): number {
    return this.#segment.stalenessMs(this.#index)
  }

  end(): void {
    this.#native.unlock()
  }
}
