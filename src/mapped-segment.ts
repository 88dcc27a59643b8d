import { EnginePages } from './engine-pages.js'
import { type NativeLayout, now, STATE_EMPTY, STATE_INDEX } from './native.js'
import type { Memory } from './struct/memory.js'

const WORD = 4
const HIGH = 2 ** 32
const NS_PER_MS = 1e6

/** What publisher and attached consumers see of a segment without asking the native part. */
export class MappedSegment {
  readonly layout: NativeLayout
  readonly memory: Memory
  readonly #pages: EnginePages
  readonly #words: Uint32Array
  readonly #stateIndex: number
  readonly #buffers: Uint8Array[] = []

  constructor(what: string, native: { layout(): NativeLayout; mapOver(pages: Uint8Array): void }) {
    this.layout = native.layout()
    this.#pages = new EnginePages(what, this.layout.segmentBytes, pages => native.mapOver(pages))
    this.memory = this.#pages.memory
    this.#words = new Uint32Array(this.memory.buffer)
    this.#stateIndex = this.layout.state / WORD
  }

  /** The word that publishes. */
  state(): number {
    return Atomics.load(this.#words, this.#stateIndex)
  }

  /** The buffer of the current value; -1: there is none. */
  currentIndex(): number {
    const state = this.state()
    const index = (state & STATE_INDEX) - 1
    return (state & STATE_EMPTY) === 0 && index < this.layout.bufferCount ? index : -1
  }

  byteOffset(index: number): number {
    return this.layout.payload + index * this.layout.payloadStride
  }

  /** All that a value in this buffer may take. */
  buffer(index: number): Uint8Array {
    const start = this.byteOffset(index)
    this.#buffers[index] ??= this.memory.bytes.subarray(start, start + this.layout.capacity)
    return this.#buffers[index]
  }

  byteLength(index: number): number {
    return this.#number(index, this.layout.headerLength)
  }

  /** 1 for the first value ever. */
  version(index: number): number {
    return this.#number(index, this.layout.headerVersion)
  }

  /** Milliseconds since the value was published. */
  stalenessMs(index: number): number {
    return Math.max(0, now() - this.#number(index, this.layout.headerTimestamp) / NS_PER_MS)
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
    return Array.from({ length: this.layout.bufferCount }, (_, index) => this.version(index)).reduce((a, b) => Math.max(a, b))
  }

  dispose(): void {
    this.#pages.dispose()
  }

  // A u64 of a buffer's header, which may change meanwhile unless the buffer is pinned: the halves must belong together.
  #number(index: number, field: number): number {
    const at = (this.layout.bufferHeaders + index * this.layout.bufferHeaderStride + field) / WORD
    const high = Atomics.load(this.#words, at + 1)
    const low = Atomics.load(this.#words, at)
    return Atomics.load(this.#words, at + 1) === high ? high * HIGH + low : this.#number(index, field)
  }
}
