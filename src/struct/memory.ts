import { SegmentError } from '../errors.js'

/** One stretch of memory, seen three ways. Offsets into it are absolute: all three views begin at its first byte. */
export interface Memory {
  readonly buffer: ArrayBufferLike
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Says whether a live view may be used now, and how. */
export interface Guard {
  /** Throws `ERR_RELEASED` once the lock is gone. */
  check(): void
  /** Whether setters may be used; otherwise they throw `ERR_READ_ONLY`. */
  readonly writable: boolean
}

// One class for every memory, so that code which reads through it sees one hidden class.
class WholeBuffer implements Memory {
  readonly buffer: ArrayBufferLike
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(buffer: ArrayBufferLike) {
    this.buffer = buffer
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
  }
}

/** The memory of a whole buffer. */
export function memoryOf(buffer: ArrayBufferLike): Memory {
  return new WholeBuffer(buffer)
}

/** Private memory lent to one writer at a time; a getter of the value being written may write again, and then gets memory of its own. */
export class Scratch {
  readonly #byteLength: number
  #idle: Memory | undefined

  constructor(byteLength: number) {
    this.#byteLength = byteLength
  }

  take(): Memory {
    const memory = this.#idle
    if (memory === undefined) return memoryOf(new ArrayBuffer(this.#byteLength))
    this.#idle = undefined
    return memory
  }

  /** Not called after a throw: the memory is dropped then, and the next writer gets fresh memory. */
  giveBack(memory: Memory): void {
    this.#idle = memory
  }
}

// Typed-array windows are in the machine's order and the format is little-endian.
if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
  throw new SegmentError('ERR_UNSUPPORTED', 'load pagecast: this machine is big-endian, segments are little-endian')
}
