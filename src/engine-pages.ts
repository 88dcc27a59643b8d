/**
 * Memory that JavaScript sees is the engine's own: pages of a `WebAssembly.Memory`, over which the native part maps a
 * segment. Nobody else can detach or transfer such a buffer, and the engine frees it when nothing can reach it any more.
 */
import { type Engine, type EngineMemory, engineOf } from './engine.js'
import { SegmentError } from './errors.js'
import { addressSpaceLimit } from './native.js'
import { type Ordered, orderedOver } from './ordered.js'
import { type Memory, memoryOf } from './struct/memory.js'

const ENGINE_PAGE = 65_536
const MOST_PAGES = 65_536

// The engine's memory lives as long as its detached buffer: a job in the thread pool may still be reading through it.
const keepers = new WeakMap<ArrayBuffer, EngineMemory>()

/** Pages for one segment, where JavaScript can reach it. */
export class EnginePages {
  /** All of them. The buffer is detached by {@link dispose}. */
  readonly memory: Memory
  /** How its words are loaded and stored where the order counts. */
  readonly ordered: Ordered
  readonly #engine: EngineMemory

  /** Fresh pages, of which there may be none left. Nothing is mapped over them yet. */
  constructor(what: string, byteLength: number) {
    const engine = engineOf(what)
    this.#engine = allocate(engine, what, byteLength)
    this.memory = memoryOf(this.#engine.buffer)
    this.ordered = orderedOver(engine, this.#engine)
  }

  get byteLength(): number {
    return this.memory.buffer.byteLength
  }

  /** Every view gets length 0. The native part, when it closes, puts private pages where the segment was. Twice is once. */
  dispose(): void {
    const { buffer } = this.memory
    if (buffer.byteLength === 0) return
    keepers.set(buffer as ArrayBuffer, this.#engine)
    this.#engine.grow(0)
  }
}

function allocate(engine: Engine, what: string, byteLength: number): EngineMemory {
  const pages = byteLength / ENGINE_PAGE
  if (pages > MOST_PAGES) {
    throw new SegmentError(
      'ERR_ADDRESS_SPACE',
      `${what}: the segment has ${byteLength} bytes, at most ${MOST_PAGES * ENGINE_PAGE} can be mapped`,
    )
  }
  try {
    return new engine.Memory({ initial: pages, maximum: pages })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const total = addressSpaceLimit()
    const limit = total === null ? 'has no room for one more' : `may have ${total.toLocaleString('en-US')} bytes (ulimit -v)`
    const message = `no address space for ${byteLength.toLocaleString('en-US')} bytes; each live segment takes up to 10 GiB, and the process`
    throw new SegmentError('ERR_ADDRESS_SPACE', `${what}: ${message} ${limit}`, { cause })
  }
}
