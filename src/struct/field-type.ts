import type { Guard, Memory } from './memory.js'
import { checkedMeta, type FieldMeta, NO_META } from './meta.js'
import type { Problem } from './problem.js'
import type { TypeSchema } from './schema.js'

/** Reads a field as a copy; `base` is where its struct begins. */
export type Reader<Value = unknown> = (memory: Memory, base: number) => Value

/** Checks a field's value and writes it. May have written a part when it refuses, so the memory is private. */
export type Writer = (memory: Memory, base: number, value: unknown, guard?: Guard) => Problem | undefined

declare const types: unique symbol

/**
 * The type of a field. The type parameters are what reading gives, what writing takes, and what a live view of a
 * write lock and of a read lock gives.
 */
export abstract class FieldType<Value = unknown, Input = unknown, Live = unknown, ReadonlyLive = unknown> {
  declare readonly [types]?: { value: Value; input: Input; live: Live; readonlyLive: ReadonlyLive }

  /** Size in memory. */
  abstract readonly byteLength: number
  /** Offsets of such a field are multiples of this. */
  abstract readonly alignment: number
  /** The type in the schema. */
  abstract readonly schema: TypeSchema
  /** Structs and arrays inside one another; 0 for everything else. */
  readonly depth: number = 0
  /** Of how many values of the engine's a copy is made. @internal */
  readonly pieces: number = 1
  /** What {@link with} said. */
  readonly meta: FieldMeta
  /** This type without its meta. @internal */
  readonly bare: FieldType<Value, Input, Live, ReadonlyLive> = this

  constructor(meta: FieldMeta = NO_META) {
    this.meta = meta
  }

  /** @internal */
  abstract reader(byteOffset: number, name: string): Reader<Value>

  /** Writes to private memory. @internal */
  abstract writer(byteOffset: number, name: string): Writer

  /** Writes to shared memory: whole or not at all. @internal */
  assigner(byteOffset: number, name: string): Writer {
    return this.writer(byteOffset, name)
  }

  /** The live view of such a field, for types that are seen in place; others are read. @internal */
  part?(memory: Memory, byteOffset: number, guard: Guard): Live

  /** The type as a person would write it. */
  abstract toString(): string

  /** Equal for types that are read and written in the same way. @internal */
  get signature(): string {
    return this.toString()
  }

  /**
   * The same type with something said about the field: `f64.with({ unit: 'rad/s', description: 'yaw rate' })`.
   * The words travel with the schema and play no part in matching.
   */
  with(meta: FieldMeta): this {
    return Object.create(this, { meta: { value: checkedMeta(meta), enumerable: true } }) as this
  }
}

/** What reading such a field, struct or publication gives: a copy, plain data. */
export type Infer<T> = T extends FieldType<infer Value> ? Value : never

/** What may be written to it. */
export type InferInput<T> = T extends FieldType<unknown, infer Input> ? Input : never

/** What a write lock gives: straight over the memory. */
export type InferLive<T> = T extends FieldType<unknown, unknown, infer Live> ? Live : never

/** What a read lock gives: straight over the memory, not to be written. */
export type InferReadonlyLive<T> = T extends FieldType<unknown, unknown, unknown, infer Live> ? Live : never
