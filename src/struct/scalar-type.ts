import { FieldType, type Reader, type Writer } from './field-type.js'
import { Problem } from './problem.js'
import type { ScalarKind } from './schema.js'

/** The typed arrays that windows and copies of scalar arrays are made of. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array

export interface TypedArrayConstructor {
  readonly name: string
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray
}

/** What one kind of scalar consists of. */
export interface ScalarTraits<Value> {
  readonly kind: ScalarKind
  /** The type as a person would write it, where that is not just the kind. */
  readonly written?: string
  readonly byteLength: number
  /** Values that are taken, in words. */
  readonly expected: string
  /** The typed array of such elements; `bool` has none. */
  readonly arrayType?: TypedArrayConstructor
  accepts(value: unknown): value is Value
  reader(byteOffset: number, name: string): Reader<Value>
  store(view: DataView, byteOffset: number, value: Value): void
}

declare const window: unique symbol

/** A number, bigint or boolean. `Window` is the typed array of such elements, `never` where there is none. */
export class ScalarType<Value = unknown, Window = unknown> extends FieldType<Value, Value, Value, Value> {
  declare readonly [window]?: Window

  readonly traits: ScalarTraits<Value>

  constructor(traits: ScalarTraits<Value>) {
    super()
    this.traits = traits
  }

  get schema(): ScalarKind {
    return this.traits.kind
  }

  get byteLength(): number {
    return this.traits.byteLength
  }

  get alignment(): number {
    return this.traits.byteLength
  }

  reader(byteOffset: number, name: string): Reader<Value> {
    return this.traits.reader(byteOffset, name)
  }

  writer(byteOffset: number, name: string): Writer {
    const { accepts, store, expected } = this.traits
    return (memory, base, value) => {
      if (!accepts(value)) return new Problem(name, expected, value)
      store(memory.view, base + byteOffset, value)
      return undefined
    }
  }

  toString(): string {
    return this.traits.written ?? this.traits.kind
  }
}
