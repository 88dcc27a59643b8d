/**
 * Memory that JavaScript sees is the engine's own: pages of a `WebAssembly.Memory`, over which the native part maps a segment or a region.
 * Nobody else can detach or transfer such a buffer, and the engine frees it when nothing can reach it any more. The `Memory` itself is for
 * those who map, and is let out nowhere else.
 */
import type { Engine, EngineMemory } from './engine.js'
import { SegmentError } from './errors.js'
import { addressSpaceLimit } from './native.js'

/** The engine's memory is a multiple of this many bytes. */
export const ENGINE_PAGE = 65_536
/** Most bytes of one memory that counts its pages in 32 bits. */
export const MOST_BYTES = 65_536 * ENGINE_PAGE

// The engine's memory lives as long as its detached buffer: a job in the thread pool may still be reading through it.
const keepers = new WeakMap<ArrayBufferLike, object>()

/** Fresh pages, at most {@link MOST_BYTES}, of which there may be none left. */
export function allocate(engine: Engine, what: string, byteLength: number, shared = false): EngineMemory {
  const pages = Math.ceil(byteLength / ENGINE_PAGE)
  try {
    return new engine.Memory({ initial: pages, maximum: pages, shared })
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    const total = addressSpaceLimit()
    const limit = total === null ? 'has no room for one more' : `may have ${total.toLocaleString('en-US')} bytes (ulimit -v)`
    const message = `no address space for ${byteLength.toLocaleString('en-US')} bytes; each live segment or region takes up to 10 GiB, and the process`
    throw new SegmentError('ERR_ADDRESS_SPACE', `${what}: ${message} ${limit}`, { cause })
  }
}

/** Every view of the buffer gets length 0 by `detach`. Twice is once. */
export function release(memory: object, buffer: ArrayBufferLike, detach: () => void): void {
  if (buffer.byteLength === 0) return
  keepers.set(buffer, memory)
  detach()
}
