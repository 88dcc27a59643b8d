import type { FieldType, Reader, Writer } from './field-type.js'
import { LiveArray, LiveElement } from './live-array.js'
import type { Guard, Memory } from './memory.js'
import { Problem } from './problem.js'
import type { TypedArray, TypedArrayConstructor } from './scalar-type.js'
import { asTypedArray, typedArrayLength } from './typed-arrays.js'

/** How arrays of one type are read, written and seen in place. */
export interface ArrayAccess {
  reader(byteOffset: number, name: string): Reader
  writer(byteOffset: number, name: string): Writer
  part(memory: Memory, byteOffset: number, guard: Guard): unknown
}

/** Elements that have a typed array. */
export class TypedAccess implements ArrayAccess {
  readonly #element: FieldType
  readonly #length: number
  readonly #window: TypedArrayConstructor

  constructor(element: FieldType, length: number, window: TypedArrayConstructor) {
    this.#element = element
    this.#length = length
    this.#window = window
  }

  reader(byteOffset: number): Reader<TypedArray> {
    return (memory, base) => this.part(memory, base + byteOffset).slice()
  }

  writer(byteOffset: number, name: string): Writer {
    const kind = this.#window.name
    const length = this.#length
    const writeEach = eachWriter(this.#element, length, byteOffset, name)
    return (memory, base, value) => {
      const same = asTypedArray(value, kind)
      if (same === undefined) return writeEach(memory, base, value)
      if (typedArrayLength(same) !== length) return new Problem(name, `an array of ${length}`, value)
      const window = this.part(memory, base + byteOffset) as { set(source: TypedArray): void }
      window.set(same)
      return undefined
    }
  }

  part(memory: Memory, byteOffset: number): TypedArray {
    return new this.#window(memory.buffer, byteOffset, this.#length)
  }
}

/** All other elements. */
export class PlainAccess implements ArrayAccess {
  readonly #element: FieldType
  readonly #length: number
  #live: LiveElement | undefined

  constructor(element: FieldType, length: number) {
    this.#element = element
    this.#length = length
  }

  reader(byteOffset: number, name: string): Reader<unknown[]> {
    const length = this.#length
    const stride = this.#element.byteLength
    const read = this.#element.reader(byteOffset, name)
    return (memory, base) => {
      const values: unknown[] = []
      for (let index = 0; index < length; index++) values.push(read(memory, base + index * stride))
      return values
    }
  }

  writer(byteOffset: number, name: string): Writer {
    return eachWriter(this.#element, this.#length, byteOffset, name)
  }

  part(memory: Memory, byteOffset: number, guard: Guard): LiveArray {
    this.#live ??= new LiveElement(this.#element)
    return new LiveArray(memory, byteOffset, guard, this.#length, this.#live)
  }
}

/** Takes every array-like: typed arrays of another kind and live arrays too. Reads the length and each element once. */
function eachWriter(element: FieldType, length: number, byteOffset: number, name: string): Writer {
  const stride = element.byteLength
  const write = element.writer(byteOffset, '')
  return (memory, base, value) => {
    if (typeof value !== 'object' || value === null || (value as ArrayLike<unknown>).length !== length) {
      return new Problem(name, `an array of ${length}`, value)
    }
    const elements = value instanceof LiveArray ? Array.from(value) : (value as ArrayLike<unknown>)
    for (let index = 0; index < length; index++) {
      const problem = write(memory, base + index * stride, elements[index])
      if (problem !== undefined) return problem.within(`[${index}]`).within(name)
    }
    return undefined
  }
}
