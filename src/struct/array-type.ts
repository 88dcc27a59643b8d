import { type ArrayAccess, PlainAccess, TypedAccess } from './array-access.js'
import { FieldType, type Infer, type InferInput, type InferLive, type InferReadonlyLive, type Reader, type Writer } from './field-type.js'
import { checkLength } from './limits.js'
import type { LiveArray, ReadonlyLiveArray } from './live-array.js'
import type { Guard, Memory } from './memory.js'
import { checkFieldType } from './recognise.js'
import { ScalarType } from './scalar-type.js'
import type { TypeSchema } from './schema.js'
import { staged } from './staged.js'
import type { ReadonlyTypedArray } from './typed-arrays.js'

/** The typed array of such elements, `never` where there is none. */
type WindowOf<Element> = Element extends ScalarType<unknown, infer Window> ? Window : never

/** `Typed` for elements that have a typed array, else `Plain`. */
type Either<Element, Typed, Plain> = [WindowOf<Element>] extends [never] ? Plain : Typed

type Copied<Window> = Window extends { slice(): infer Copy } ? Copy : never

/** What reading an array gives: a fresh typed array of numbers or bigints, a plain array of anything else. */
export type ArrayValue<Element> = Either<Element, Copied<WindowOf<Element>>, Infer<Element>[]>

/** What may be written to an array: exactly as many elements. */
export type ArrayInput<Element> = ArrayLike<InferInput<Element>> | ReadonlyLiveArray<InferInput<Element>>

/** What a write lock gives: a typed array over the memory, or a {@link LiveArray}. */
export type ArrayLive<Element> = Either<Element, WindowOf<Element>, LiveArray<InferLive<Element>, InferInput<Element>>>

/** What a read lock gives. */
export type ArrayReadonlyLive<Element> = Either<
  Element,
  ReadonlyTypedArray<WindowOf<Element>>,
  ReadonlyLiveArray<InferReadonlyLive<Element>>
>

/** `length` elements, one after the other. */
export class ArrayType<Element extends FieldType = FieldType> extends FieldType<
  ArrayValue<Element>,
  ArrayInput<Element>,
  ArrayLive<Element>,
  ArrayReadonlyLive<Element>
> {
  readonly element: Element
  readonly length: number
  readonly byteLength: number
  readonly alignment: number
  readonly schema: { readonly array: TypeSchema; readonly length: number }
  override readonly depth: number
  /** @internal */
  override readonly pieces: number
  /** @internal */
  readonly access: ArrayAccess

  /** Elements have no meta of their own: theirs is the array's. */
  constructor(element: Element, length: number) {
    super(element.meta)
    this.element = element.bare as Element
    this.length = length
    this.byteLength = element.byteLength * length
    this.alignment = element.alignment
    this.schema = { array: element.schema, length }
    this.depth = element.depth + 1
    const window = element instanceof ScalarType ? element.traits.arrayType : undefined
    this.pieces = window === undefined ? 1 + length * element.pieces : 1
    this.access = window === undefined ? new PlainAccess(this.element, length) : new TypedAccess(this.element, length, window)
  }

  reader(byteOffset: number, name: string): Reader<ArrayValue<Element>> {
    return this.access.reader(byteOffset, name) as Reader<ArrayValue<Element>>
  }

  writer(byteOffset: number, name: string): Writer {
    return this.access.writer(byteOffset, name)
  }

  override assigner(byteOffset: number, name: string): Writer {
    return staged(this, byteOffset, name)
  }

  override part(memory: Memory, byteOffset: number, guard: Guard): ArrayLive<Element> {
    return this.access.part(memory, byteOffset, guard) as ArrayLive<Element>
  }

  toString(): string {
    return `array(${this.element}, ${this.length})`
  }

  override get signature(): string {
    return `array(${this.element.signature}, ${this.length})`
  }
}

/**
 * `length` elements, one after the other. Arrays of numbers and bigints read as typed arrays, others as plain arrays;
 * both kinds are taken when writing. Elements may be arrays and structs.
 */
export function array<Element extends FieldType>(element: Element, length: number): ArrayType<Element> {
  checkFieldType('array', element)
  checkLength('array', length)
  return new ArrayType(element, length)
}
