import { ArrayType } from './array-type.js'
import type { Field } from './field.js'
import type { FieldType } from './field-type.js'
import { roundUp } from './layout.js'
import type { Struct } from './struct.js'

/** A type with its arrays taken off: `array(array(f64, 4), 3)` is `f64` with lengths 3 and 4. */
export function unwrap(type: FieldType): { element: FieldType; lengths: number[] } {
  const lengths: number[] = []
  let element = type
  while (element instanceof ArrayType) {
    lengths.push(element.length)
    element = element.element
  }
  return { element, lengths }
}

// Not instanceof: the struct's own file imports this one.
export function isStruct(type: FieldType): type is Struct {
  return 'fields' in type
}

/** A field with the bytes that a compiler would not put before it by itself. */
export interface PlacedField {
  readonly field: Field
  readonly gap: number
}

/** The fields in the order of their offsets, and the bytes that a compiler would not add at the end. */
export function place({ fields, byteLength, alignment }: Struct): { placed: PlacedField[]; tail: number } {
  const inOrder = [...fields].sort((a, b) => a.byteOffset - b.byteOffset)
  let end = 0
  const placed = inOrder.map(field => {
    const natural = roundUp(end, field.type.alignment)
    const gap = field.byteOffset === natural ? 0 : field.byteOffset - end
    end = field.byteOffset + field.type.byteLength
    return { field, gap }
  })
  const tail = byteLength === roundUp(end, alignment) ? 0 : byteLength - end
  return { placed, tail }
}

/** The alignment that the fields alone ask for. */
export function naturalAlignment({ fields }: Struct): number {
  return Math.max(...fields.map(({ type }) => type.alignment))
}

/** `name`, with underscores after it until it is not in `taken`; it is then. */
export function freeName(name: string, taken: Set<string>): string {
  let free = name
  while (taken.has(free)) free += '_'
  taken.add(free)
  return free
}

type Declare = (type: Struct, name: string, declarations: Declarations) => string

/** Declarations of structs, each after those it needs and only once. */
export class Declarations {
  readonly #declare: Declare
  readonly #texts: string[] = []
  readonly #names = new Map<Struct, string>()
  readonly #taken = new Set<string>()

  constructor(declare: Declare) {
    this.#declare = declare
  }

  /** The name of a struct, which is declared under `wish` or a name like it if it has not been. */
  nameOf(type: Struct, wish: string): string {
    const known = this.#names.get(type)
    if (known !== undefined) return known
    const name = freeName(wish, this.#taken)
    this.#names.set(type, name)
    this.#texts.push(this.#declare(type, name, this))
    return name
  }

  toString(): string {
    return this.#texts.join('\n')
  }
}
