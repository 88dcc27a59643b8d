import { type EngineMemory, engineOf } from './engine.js'
import { allocate, MOST_BYTES, release } from './engine-memory.js'
import { SegmentError } from './errors.js'
import { type Ordered, orderedOver } from './ordered.js'
import { type Memory, memoryOf } from './struct/memory.js'

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
    if (byteLength > MOST_BYTES) {
      throw new SegmentError('ERR_ADDRESS_SPACE', `${what}: the segment has ${byteLength} bytes, at most ${MOST_BYTES} can be mapped`)
    }
    this.#engine = allocate(engine, what, byteLength)
    this.memory = memoryOf(this.#engine.buffer)
    this.ordered = orderedOver(engine, this.#engine)
  }

  get byteLength(): number {
    return this.memory.buffer.byteLength
  }

  /** Every view gets length 0. The native part, when it closes, puts private pages where the segment was. Twice is once. */
  dispose(): void {
    release(this.#engine, this.memory.buffer, () => this.#engine.grow(0))
  }
}
