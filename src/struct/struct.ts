import { ArgumentError } from '../errors.js'
import { Codec } from './codec.js'
import { toC } from './declare-c.js'
import { toRust } from './declare-rust.js'
import type { Field, Layout } from './field.js'
import { FieldType, type Infer, type InferInput, type InferLive, type InferReadonlyLive, type Reader, type Writer } from './field-type.js'
import { ALWAYS } from './guarded.js'
import { type Fields, layoutOf } from './layout.js'
import { MAX_PIECES, MAX_SCHEMA_BYTES } from './limits.js'
import { LiveView, type LiveViewConstructor } from './live-view.js'
import { type Guard, type Memory, memoryOf, Scratch } from './memory.js'
import type { Problem } from './problem.js'
import type { FieldSchema, StructSchema } from './schema.js'
import { staged } from './staged.js'

/** What reading a struct gives: a plain object. */
export type StructValue<F extends Fields> = { -readonly [Name in keyof F]: Infer<F[Name]> }

/** What may be written to a struct: an object with every field and no other. */
export type StructInput<F extends Fields> = { readonly [Name in keyof F]: InferInput<F[Name]> }

/** A struct seen in place by a writer. */
export type StructLive<F extends Fields> = { -readonly [Name in keyof F]: InferLive<F[Name]> }

/** A struct seen in place by a reader. */
export type StructReadonlyLive<F extends Fields> = { readonly [Name in keyof F]: InferReadonlyLive<F[Name]> }

/** Fields at fixed offsets: the type of a publication's value, or of a field inside another struct. Made by {@link struct}. */
export class Struct<F extends Fields = Fields> extends FieldType<StructValue<F>, StructInput<F>, StructLive<F>, StructReadonlyLive<F>> {
  readonly byteLength: number
  readonly alignment: number
  readonly fields: readonly Field[]
  override readonly depth: number
  /** @internal */
  override readonly pieces: number
  /** @internal */
  readonly codec: Codec
  /** @internal */
  readonly scratch: Scratch
  /** @internal */
  readonly View: LiveViewConstructor

  /** For layouts that are known to be sound: {@link struct} and `structFromSchema` check theirs. */
  constructor({ byteLength, alignment, fields }: Layout) {
    super()
    this.byteLength = byteLength
    this.alignment = alignment
    this.fields = Object.freeze(fields.map(field => Object.freeze({ ...field })))
    this.depth = 1 + Math.max(...fields.map(({ type }) => type.depth))
    this.pieces = fields.reduce((sum, { type }) => sum + type.pieces, 1)
    this.codec = new Codec(fields, () => this.signature)
    this.scratch = new Scratch(byteLength)
    this.View = LiveView.of(fields)
  }

  /** The schema as an object. */
  get schema(): { readonly struct: StructSchema } {
    const { byteLength, alignment, fields } = this
    return { struct: { byteLength, alignment, fields: fields.map(fieldSchema) } }
  }

  /** The schema as it is stored in a segment: canonical JSON, the same bytes in every language. */
  get schemaJson(): string {
    return JSON.stringify(this.schema.struct)
  }

  /** Throws `ERR_MISSING_FIELD`, `ERR_UNKNOWN_FIELD` or `ERR_VALUE_RANGE` unless `value` can be written. */
  check(value: StructInput<F>): void {
    const stage = this.scratch.take()
    raise(this.codec.write(stage, 0, value))
    this.scratch.giveBack(stage)
  }

  /** As {@link check}, for an object with some of the fields. Nested structs and arrays are still given whole. */
  checkPartial(value: Partial<StructInput<F>>): void {
    const stage = this.scratch.take()
    this.codec.writeSome(stage, value)
    this.scratch.giveBack(stage)
  }

  /**
   * Writes `value` to the struct that begins at `byteOffset`; padding becomes 0. The value is checked and written to
   * private memory first, each of its properties being read once, and then copied: nothing changes when it is refused.
   * Throws as {@link check}.
   */
  encode(memory: Memory, byteOffset: number, value: StructInput<F>): void {
    const stage = this.scratch.take()
    raise(this.codec.write(stage, 0, value))
    memory.bytes.set(stage.bytes, byteOffset)
    this.scratch.giveBack(stage)
  }

  /** Writes the fields that `value` has and leaves the others as they are. Otherwise as {@link encode}. */
  encodePartial(memory: Memory, byteOffset: number, value: Partial<StructInput<F>>): void {
    this.stagePartial(value)(memory, byteOffset)
  }

  /**
   * The first half of {@link encodePartial}: reads and checks everything; what it returns only copies, and is to be called once.
   *
   * @internal
   */
  stagePartial(value: Partial<StructInput<F>>): (memory: Memory, byteOffset: number) => void {
    const stage = this.scratch.take()
    const slots = [...this.codec.writeSome(stage, value)]
    return (memory, byteOffset) => {
      for (const slot of slots) {
        const field = this.fields[slot] as Field
        const end = field.byteOffset + field.type.byteLength
        memory.bytes.set(stage.bytes.subarray(field.byteOffset, end), byteOffset + field.byteOffset)
      }
      this.scratch.giveBack(stage)
    }
  }

  /** A copy of the struct that begins at `byteOffset`. Throws `ERR_INVALID_SIZE` where that would be more than 16,777,216 values. */
  decode(memory: Memory, byteOffset: number): StructValue<F> {
    if (this.pieces > MAX_PIECES) throw tooMany(this.pieces)
    return this.codec.read(memory, byteOffset) as StructValue<F>
  }

  /**
   * A view of the struct that begins at `byteOffset`: every access asks the guard first, then reads or writes the memory.
   * Typed arrays that it gives are windows, which the guard cannot take back.
   */
  live(memory: Memory, byteOffset: number, guard: Guard): StructLive<F> {
    const { byteLength, alignment } = this
    const isInside = Number.isSafeInteger(byteOffset) && byteOffset >= 0 && byteOffset + byteLength <= memory.bytes.length
    if (!isInside || byteOffset % alignment !== 0) {
      const place = `${byteLength} bytes aligned to ${alignment} inside ${memory.bytes.length}`
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `live: expected the offset of ${place}, given ${byteOffset}`)
    }
    return this.part(memory, byteOffset, guard)
  }

  /** A view over private memory of its own, all zeros at first: where `readInto` may copy to. See `bytesOf`. */
  view(): StructLive<F> {
    return this.part(memoryOf(new ArrayBuffer(this.byteLength)), 0, ALWAYS)
  }

  /** The declaration in C11, structs inside it first. Throws `ERR_INVALID_ARGUMENT` where `name` is none. */
  toC(name = 'Value'): string {
    return toC(this as unknown as Struct, name)
  }

  /** The declaration in Rust, structs inside it first. Throws `ERR_INVALID_ARGUMENT` where `name` is none or Rust cannot say it. */
  toRust(name = 'Value'): string {
    return toRust(this as unknown as Struct, name)
  }

  /** @internal */
  reader(byteOffset: number): Reader<StructValue<F>> {
    const { codec } = this
    return (memory, base) => codec.read(memory, base + byteOffset) as StructValue<F>
  }

  /** @internal */
  writer(byteOffset: number, name: string): Writer {
    const { codec } = this
    return (memory, base, value) => codec.write(memory, base + byteOffset, value)?.within(name)
  }

  /** @internal */
  override assigner(byteOffset: number, name: string): Writer {
    return staged(this, byteOffset, name)
  }

  /** @internal */
  override part(memory: Memory, byteOffset: number, guard: Guard): StructLive<F> {
    return new this.View(this, memory, byteOffset, guard) as unknown as StructLive<F>
  }

  toString(): string {
    return 'struct'
  }

  /** @internal */
  override get signature(): string {
    const fields = this.fields.map(({ name, type, byteOffset }) => `${name}@${byteOffset}: ${type.signature}`)
    return `struct(${this.byteLength}) { ${fields.join(', ')} }`
  }
}

/**
 * A struct with these fields, laid out as a C compiler does.
 * Throws `ERR_INVALID_ARGUMENT` for names and types that cannot be, and for more than 1,024 fields, 16 levels or 4 GiB.
 *
 * ```ts
 * const Pose = struct({ time: u64, position: array(f64, 3), name: text(16), valid: bool })
 * ```
 */
export function struct<F extends Fields>(fields: F): Struct<F> {
  const type = new Struct<F>(layoutOf(fields))
  const byteLength = Buffer.byteLength(type.schemaJson)
  if (byteLength > MAX_SCHEMA_BYTES) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `struct: a schema of ${byteLength} bytes, at most ${MAX_SCHEMA_BYTES} are taken`)
  }
  return type
}

function fieldSchema({ name, type, byteOffset, meta }: Field): FieldSchema {
  const field = { name, type: type.schema, byteOffset }
  return Object.keys(meta).length === 0 ? field : { ...field, meta }
}

function tooMany(pieces: number): ArgumentError {
  const [made, most] = [pieces.toLocaleString('en-US'), MAX_PIECES.toLocaleString('en-US')]
  return new ArgumentError('ERR_INVALID_SIZE', `a copy of this struct is made of ${made} values, at most ${most} are; look at it in place`)
}

function raise(problem: Problem | undefined): void {
  if (problem !== undefined) throw problem.toError()
}
