import type { PublicationType } from './encoding.js'
import { ArgumentError, SchemaError, SegmentError } from './errors.js'
import type { Source } from './source.js'
import { copyInto, type Guard, isLiveView, matchSchema, Struct, structFromSchema } from './struct/index.js'
import { describe } from './struct/problem.js'
import { isDetached, typedArrayKind, typedArrayLength } from './struct/typed-arrays.js'

const { set } = Uint8Array.prototype

/** How a consumer makes values of the publisher's bytes. */
export interface Decoding {
  /** The publisher's type; undefined for bytes. */
  readonly publisher: Struct | undefined
  /** A copy. */
  read(source: Source): unknown
  /** Copies to memory of the caller; returns how many bytes the value has. */
  readInto(name: string, source: Source, target: unknown): number
  /** The value in place. */
  live(source: Source, guard: Guard): unknown
}

/** Makes a decoding for what was found: the publisher's schema, null for bytes, and the most bytes of a value. */
export type Decoder = (what: string, schema: string | null, capacity: number) => Decoding

/** For a consumer that expects this type. Throws `ERR_SCHEMA_MISMATCH`. */
export function decoderFor(type: PublicationType, isExact: boolean): Decoder {
  if (!(type instanceof Struct)) return (what, schema, capacity) => matchBytes(what, type.byteLength, isExact, schema, capacity)
  return (what, schema) => matchStruct(what, type, isExact, schema)
}

/** For a consumer that takes what there is. */
export const dynamicDecoder: Decoder = (_, schema) => {
  if (schema === null) return new BytesDecoding()
  const publisher = structFromSchema(schema)
  return new StructDecoding(publisher, publisher)
}

function matchStruct(what: string, own: Struct, isExact: boolean, schema: string | null): Decoding {
  if (schema === null) mismatch(what, 'the publication is of bytes, expected a struct')
  if (schema === own.schemaJson) return new StructDecoding(own, own)
  if (isExact) mismatch(what, "the publisher's schema is not exactly the expected one")
  const publisher = structFromSchema(schema)
  try {
    return new StructDecoding(matchSchema(own, publisher), publisher)
  } catch (error) {
    throw error instanceof SchemaError ? new SchemaError(error.code, `${what}: ${error.message}`) : error
  }
}

function matchBytes(what: string, byteLength: number, isExact: boolean, schema: string | null, capacity: number): Decoding {
  if (schema !== null) mismatch(what, 'the publication is of a struct, expected bytes; openDynamic takes either')
  if (isExact ? capacity === byteLength : capacity <= byteLength) return new BytesDecoding()
  return mismatch(what, `values have up to ${capacity} bytes, expected ${isExact ? 'exactly' : 'at most'} ${byteLength}`)
}

function mismatch(what: string, fact: string): never {
  throw new SchemaError('ERR_SCHEMA_MISMATCH', `${what}: ${fact}`)
}

class StructDecoding implements Decoding {
  readonly publisher: Struct
  /** The consumer's fields at the publisher's offsets. */
  readonly #struct: Struct

  constructor(struct: Struct, publisher: Struct) {
    this.#struct = struct
    this.publisher = publisher
  }

  read(source: Source): unknown {
    this.#checkLength(source)
    return this.#struct.decode(source.memory, source.byteOffset)
  }

  readInto(name: string, source: Source, target: unknown): number {
    this.#checkLength(source)
    if (!isLiveView(target)) return copyBytes(name, source, target, 'a Uint8Array or a view of a struct')
    copyInto(target, this.publisher, source.memory, source.byteOffset)
    return source.byteLength
  }

  live(source: Source, guard: Guard): unknown {
    this.#checkLength(source)
    return this.#struct.part(source.memory, source.byteOffset, guard) // a whole buffer: its place was checked when the segment was opened
  }

  // A shorter value would be completed with what an older one left.
  #checkLength({ byteLength }: Source): void {
    const expected = this.publisher.byteLength
    if (byteLength === expected) return
    throw new SegmentError('ERR_CORRUPT', `read: the segment says its value has ${byteLength} bytes where the schema says ${expected}`)
  }
}

class BytesDecoding implements Decoding {
  readonly publisher = undefined

  read(source: Source): Uint8Array {
    return source.bytes().slice()
  }

  readInto(name: string, source: Source, target: unknown): number {
    return copyBytes(name, source, target, 'a Uint8Array')
  }

  live(source: Source): Uint8Array {
    return source.bytes()
  }
}

function copyBytes(name: string, source: Source, target: unknown, expected: string): number {
  if (typedArrayKind(target) !== 'Uint8Array') {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `readInto ${name}: the target is ${describe(target)}, expected ${expected}`)
  }
  const length = typedArrayLength(target)
  if (length === 0 && isDetached(target as Uint8Array)) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `readInto ${name}: the target's memory is detached or out of bounds`)
  }
  if (length < source.byteLength) {
    throw new ArgumentError('ERR_INVALID_SIZE', `readInto ${name}: the value has ${source.byteLength} bytes, the target ${length}`)
  }
  set.call(target, source.bytes()) // the engine's own: no code of the caller runs while the value is held
  return source.byteLength
}
