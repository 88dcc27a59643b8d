import { clock } from './clock.js'
import { EnginePages } from './engine-pages.js'
import { attempt, SegmentError } from './errors.js'
import type { NativeLayout } from './native.js'
import { STATE_EMPTY, STATE_INDEX, Words } from './protocol.js'
import type { Memory } from './struct/memory.js'

const NS_PER_MS = 1e6
const HIGH = 2 ** 32

/** Looks at a number that another process may change meanwhile. */
const ATTEMPTS = 64

/** What publisher and attached consumers see of a segment without asking the native part. */
export class MappedSegment {
  readonly layout: NativeLayout
  readonly memory: Memory
  readonly words: Words
  readonly #name: string
  readonly #pages: EnginePages
  readonly #payload: number
  readonly #stride: number
  readonly #buffers: Uint8Array[] = []
  readonly #values: Uint8Array[] = []

  /** `fresh`: pages that were made beforehand, and are used if they are as many as the segment's. */
  constructor(what: string, name: string, native: { layout(): NativeLayout; mapOver(pages: Uint8Array): void }, fresh?: EnginePages) {
    this.#name = name
    this.layout = native.layout()
    const { segmentBytes } = this.layout
    this.#pages = fresh?.byteLength === segmentBytes ? fresh : new EnginePages(what, segmentBytes)
    this.memory = this.#pages.memory
    attempt(() => native.mapOver(this.memory.bytes))
    this.words = new Words(this.memory.buffer, this.#pages.ordered, this.layout)
    this.#payload = this.layout.payload
    this.#stride = this.layout.payloadStride
  }

  /** Throws `ERR_TRUNCATED` if another process has ever cut the segment short: what was read may have been zeros that stand for it. */
  check(): void {
    if (!this.words.isWhole()) throw this.#truncated()
  }

  /** What was read, unless it may have been cut off. */
  sound<T>(read: T): T {
    this.check()
    return read
  }

  #truncated(): SegmentError {
    const { segmentBytes } = this.layout
    return new SegmentError(
      'ERR_TRUNCATED',
      `${this.#name}: another process cut the segment short, which was made with ${segmentBytes} bytes`,
    )
  }

  /** The word that publishes. */
  state(): number {
    return this.words.ordered.load(this.words.state) >>> 0
  }

  /** The buffer of the current value; -1: there is none. */
  currentIndex(): number {
    const state = this.state()
    const index = (state & STATE_INDEX) - 1
    return (state & STATE_EMPTY) === 0 && index < this.words.buffers ? index : -1
  }

  byteOffset(index: number): number {
    return this.#payload + index * this.#stride
  }

  /** All that a value in this buffer may take. */
  buffer(index: number): Uint8Array {
    const known = this.#buffers[index]
    if (known !== undefined) return known
    const start = this.byteOffset(index)
    const buffer = this.memory.bytes.subarray(start, start + this.layout.capacity)
    this.#buffers[index] = buffer
    return buffer
  }

  /** The first bytes of a buffer. Lengths seldom change, and another array for each value would cost more than copying a small one. */
  value(index: number, byteLength: number): Uint8Array {
    const known = this.#values[index]
    if (known !== undefined && known.length === byteLength) return known
    const value = this.buffer(index).subarray(0, byteLength)
    this.#values[index] = value
    return value
  }

  byteLength(index: number): number {
    return this.#stable(this.words.lengths, index)
  }

  /** 1 for the first value ever. */
  version(index: number): number {
    return this.#stable(this.words.versions, index)
  }

  /** Milliseconds since the value was published. */
  stalenessMs(index: number): number {
    return Math.max(0, clock() - this.#stable(this.words.timestamps, index) / NS_PER_MS)
  }

  /** The version of the current value; 0: there is none. */
  currentVersion(): number {
    const index = this.currentIndex()
    return index < 0 ? 0 : this.version(index)
  }

  /** Values published so far, also when the last one is gone. */
  totalWrites(): number {
    const current = this.currentVersion()
    if (current > 0) return current
    return Array.from({ length: this.words.buffers }, (_, index) => this.version(index)).reduce((a, b) => Math.max(a, b))
  }

  dispose(): void {
    this.#pages.dispose()
  }

  // A number of a header that may change meanwhile unless the buffer is pinned: the halves must belong together. It changes with
  // every publication at most, and its upper half hardly ever; one that changes all the time means nothing anyway.
  #stable(first: number, index: number): number {
    const { ordered } = this.words
    const high = first + index * this.words.headerStride + 1
    let value = 0
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const upper = ordered.load(high) >>> 0
      value = upper * HIGH + (ordered.load(high - 1) >>> 0)
      if (ordered.load(high) >>> 0 === upper) break
    }
    return value
  }
}
