import { ArgumentError } from '../errors.js'
import type { FieldType, Reader, Writer } from './field-type.js'
import { checkWritable } from './guarded.js'
import type { Guard, Memory } from './memory.js'
import { describe } from './problem.js'

/** An array over the memory that is not to be written. */
export interface ReadonlyLiveArray<Element> extends Iterable<Element> {
  readonly length: number
  /** The element at `index`, counted from the end when negative; `undefined` when there is none. Throws `ERR_RELEASED`. */
  at(index: number): Element | undefined
}

/** An array over the memory, of elements that have no typed array: bool, text, bytes, structs and arrays. */
export class LiveArray<Element = unknown, Input = unknown> implements ReadonlyLiveArray<Element> {
  readonly #memory: Memory
  readonly #base: number
  readonly #guard: Guard
  readonly #element: LiveElement

  /** The number of elements. */
  readonly length: number

  /** @internal */
  constructor(memory: Memory, base: number, guard: Guard, length: number, element: LiveElement) {
    this.#memory = memory
    this.#base = base
    this.#guard = guard
    this.#element = element
    this.length = length
  }

  at(index: number): Element | undefined {
    this.#guard.check()
    const position = index < 0 ? this.length + index : index
    return this.#has(position) ? (this.#element.get(this.#memory, this.#offset(position), this.#guard) as Element) : undefined
  }

  /** Writes a copy of `value`. Throws `ERR_RELEASED`, `ERR_READ_ONLY`, `ERR_INVALID_ARGUMENT`, `ERR_VALUE_RANGE`. */
  set(index: number, value: Input): void {
    checkWritable(this.#guard, `element [${index}]`)
    if (!this.#has(index)) {
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `set: expected an index from 0 to ${this.length - 1}, given ${describe(index)}`)
    }
    const problem = this.#element.write(this.#memory, this.#offset(index), value, this.#guard)
    if (problem !== undefined) throw problem.within(`[${index}]`).toError()
  }

  *[Symbol.iterator](): IterableIterator<Element> {
    for (let index = 0; index < this.length; index++) yield this.at(index) as Element
  }

  /** The elements as they are now: what JSON and people are shown. */
  toJSON(): unknown[] {
    return Array.from(this)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): unknown[] {
    return this.toJSON()
  }

  #has(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.length
  }

  #offset(index: number): number {
    return this.#base + index * this.#element.byteLength
  }
}

/** How the elements of one array type are seen and written. */
export class LiveElement {
  readonly byteLength: number
  readonly write: Writer
  readonly #type: FieldType
  readonly #read: Reader

  constructor(type: FieldType) {
    this.byteLength = type.byteLength
    this.write = type.assigner(0, '')
    this.#type = type
    this.#read = type.reader(0, '')
  }

  get(memory: Memory, byteOffset: number, guard: Guard): unknown {
    return this.#type.part?.(memory, byteOffset, guard) ?? this.#read(memory, byteOffset)
  }
}
