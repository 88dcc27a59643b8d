import { fromNative, SegmentError } from './errors.js'
import { addressSpaceLimit, type NativeConsumer } from './native.js'
import type { Source } from './source.js'
import { type Memory, memoryOf } from './struct/memory.js'

/** Values copied to private memory: nothing is pinned, nothing in the segment is written. */
export class CopiedSource implements Source {
  readonly memory: Memory
  readonly byteOffset = 0
  byteLength = 0
  readonly #native: NativeConsumer
  // version, stalenessMs, byteLength, epoch
  readonly #meta = new Float64Array(4)

  /** `what` is operation and subject. */
  constructor(what: string, native: NativeConsumer, capacity: number) {
    this.memory = privateMemory(what, capacity)
    this.#native = native
  }

  get version(): number {
    return this.#meta[0] as number
  }

  begin(sliceMs: number, last: boolean): number {
    try {
      const outcome = this.#native.copy(this.memory.bytes, this.#meta, sliceMs, last)
      if (outcome >= 0) this.byteLength = outcome
      return outcome
    } catch (error) {
      throw fromNative(error)
    }
  }

  copyAtOnce(): number {
    return -1
  }

  bytes(): Uint8Array {
    return this.memory.bytes.subarray(0, this.byteLength)
  }

  stalenessMs(): number {
    return this.#meta[1] as number
  }

  // The copy was checked when it was made.
  check(): void {}

  end(): void {}

  letGo(): void {}
}

function privateMemory(what: string, byteLength: number): Memory {
  try {
    return memoryOf(new ArrayBuffer(byteLength))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const total = addressSpaceLimit()
    const limit = total === null ? '' : ` in ${total.toLocaleString('en-US')} bytes of address space (ulimit -v)`
    const message = `${what}: the engine has no room for a copy of ${byteLength.toLocaleString('en-US')} bytes${limit}`
    throw new SegmentError('ERR_ADDRESS_SPACE', message, { cause })
  }
}
