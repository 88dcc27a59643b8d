import { ArgumentError, PublicationError } from './errors.js'
import type { MappedSegment } from './mapped-segment.js'
import { BytesType } from './struct/bytes-type.js'
import { type Guard, memoryOf } from './struct/memory.js'
import { describe } from './struct/problem.js'
import { Struct } from './struct/struct.js'
import { isDetached, typedArrayKind, typedArrayLength } from './struct/typed-arrays.js'
import type { Writer } from './writer.js'

const { set } = Uint8Array.prototype

/** The type of a publication's values: a struct, or bytes of any length up to a limit. */
export type PublicationType = Struct | BytesType

/** How a publisher's values become bytes. A value is checked before the segment is touched. */
export interface Encoding {
  /** Most bytes of a value. */
  readonly byteLength: number
  /** Canonical JSON; undefined for bytes. */
  readonly schema: string | undefined
  /** The bytes of a first value. */
  initial(what: string, value: unknown): Uint8Array
  write(writer: Writer, value: unknown, timeout: number | undefined): void
  update(writer: Writer, value: unknown, timeout: number | undefined): void
  /** A buffer's value, to be written in place. */
  live(segment: MappedSegment, index: number, guard: Guard): unknown
}

/** Throws `ERR_INVALID_TYPE` unless a publication can have values of that type. */
export function checkType(what: string, type: unknown): asserts type is PublicationType {
  if (type instanceof Struct || type instanceof BytesType) return
  throw new ArgumentError('ERR_INVALID_TYPE', `${what}: the type is ${describe(type)}, expected struct({ … }) or bytes(n)`)
}

export function encodingOf(type: PublicationType): Encoding {
  return type instanceof Struct ? new StructEncoding(type) : new BytesEncoding(type.byteLength)
}

class StructEncoding implements Encoding {
  readonly byteLength: number
  readonly schema: string
  readonly #struct: Struct

  constructor(struct: Struct) {
    this.byteLength = struct.byteLength
    this.schema = struct.schemaJson
    this.#struct = struct
  }

  initial(_: string, value: never): Uint8Array {
    const memory = memoryOf(new ArrayBuffer(this.byteLength))
    this.#struct.encode(memory, 0, value)
    return memory.bytes
  }

  // Checked and laid out in private memory first, so that readers are kept out for the length of one copy only.
  write(writer: Writer, value: unknown, timeout: number | undefined): void {
    const { scratch, codec } = this.#struct
    const stage = scratch.take()
    const problem = codec.write(stage, 0, value)
    if (problem !== undefined) throw problem.toError()
    writer.write('write', stage.bytes, this.byteLength, timeout)
    scratch.giveBack(stage)
  }

  update(writer: Writer, value: never, timeout: number | undefined): void {
    const assign = this.#struct.stagePartial(value) // the last that runs code of the caller
    writer.check('update')
    const { segment } = writer
    if (segment.sound(segment.currentIndex()) < 0) {
      throw new PublicationError('ERR_EMPTY', `update ${writer.name}: nothing has been published yet; write every field first`)
    }
    assign(segment.memory, segment.byteOffset(writer.begin('update', timeout, true)))
    writer.commit(this.byteLength)
  }

  live(segment: MappedSegment, index: number, guard: Guard): unknown {
    return this.#struct.part(segment.memory, segment.byteOffset(index), guard) // a whole buffer: its place is sound
  }
}

class BytesEncoding implements Encoding {
  readonly byteLength: number
  readonly schema = undefined

  constructor(byteLength: number) {
    this.byteLength = byteLength
  }

  initial(what: string, value: unknown): Uint8Array {
    const bytes = new Uint8Array(this.#lengthOf(what, '', value))
    set.call(bytes, value as Uint8Array)
    return bytes
  }

  write(writer: Writer, value: unknown, timeout: number | undefined): void {
    const byteLength = this.#lengthOf('write ', writer.name, value)
    writer.write('write', value as Uint8Array, byteLength, timeout)
  }

  update(writer: Writer): void {
    throw new ArgumentError('ERR_INVALID_TYPE', `update ${writer.name}: a publication of bytes has no fields; use write or writeLock`)
  }

  live(segment: MappedSegment, index: number): unknown {
    return segment.buffer(index)
  }

  #lengthOf(operation: string, name: string, value: unknown): number {
    if (typedArrayKind(value) !== 'Uint8Array') {
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `${operation}${name}: the value is ${describe(value)}, expected a Uint8Array`)
    }
    const length = typedArrayLength(value)
    if (length === 0 && isDetached(value as Uint8Array)) {
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `${operation}${name}: the value's memory is detached or out of bounds`)
    }
    if (length <= this.byteLength) return length
    throw new ArgumentError('ERR_INVALID_SIZE', `${operation}${name}: the value has ${length} bytes where ${this.byteLength} fit`)
  }
}
