import { ArgumentError } from '../errors.js'
import { BytesType } from './bytes-type.js'
import { Declarations, freeName, isStruct, naturalAlignment, place, unwrap } from './declare.js'
import type { Field } from './field.js'
import { describe } from './problem.js'
import type { Struct } from './struct.js'
import { TextType } from './text-type.js'

const TYPES = new Map([
  ['i8', 'int8_t'],
  ['u8', 'uint8_t'],
  ['i16', 'int16_t'],
  ['u16', 'uint16_t'],
  ['i32', 'int32_t'],
  ['u32', 'uint32_t'],
  ['i64', 'int64_t'],
  ['u64', 'uint64_t'],
  ['f32', 'float'],
  ['f64', 'double'],
  ['bool', 'bool'],
])

const KEYWORDS = new Set(
  (
    'alignas alignof asm auto bool break case char const constexpr continue default do double else enum extern false float for ' +
    'goto if inline int long nullptr register restrict return short signed sizeof static static_assert struct switch ' +
    'thread_local true typedef typeof typeof_unqual union unsigned void volatile while'
  ).split(' '),
)

/** The declaration of a struct in C11, structs inside it first. A field whose name is a keyword gets an underscore after it. */
export function toC(type: Struct, name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || KEYWORDS.has(name)) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `toC: expected a name for a struct in C, given ${describe(name)}`)
  }
  const declarations = new Declarations(declare)
  declarations.nameOf(type, name)
  return `#include <stdbool.h>\n#include <stdint.h>\n\n${declarations}`
}

function declare(type: Struct, name: string, declarations: Declarations): string {
  const taken = new Set(type.fields.map(field => field.name))
  const padding = (byteLength: number): string[] => {
    if (byteLength === 0) return []
    return [`uint8_t ${freeName('_padding', taken)}[${byteLength}]`]
  }
  const { placed, tail } = place(type)
  const lines = placed.flatMap(({ field, gap }) => [...padding(gap), member(field, name, taken, declarations)])
  lines.push(...padding(tail))
  if (type.alignment > naturalAlignment(type)) lines[0] = `_Alignas(${type.alignment}) ${lines[0]}`
  const body = lines.map(line => `  ${line};\n`).join('')
  return `struct ${name} {\n${body}};\n_Static_assert(sizeof(struct ${name}) == ${type.byteLength}, "size of struct ${name}");\n`
}

function member({ name, type }: Field, parent: string, taken: Set<string>, declarations: Declarations): string {
  const { element, lengths } = unwrap(type)
  const dimensions = lengths.map(length => `[${length}]`).join('')
  const own = `${KEYWORDS.has(name) ? freeName(`${name}_`, taken) : name}${dimensions}`
  if (isStruct(element)) return `struct ${declarations.nameOf(element, `${parent}_${name.replaceAll('$', '_')}`)} ${own}`
  if (element instanceof TextType) return `char ${own}[${element.byteLength}]`
  if (element instanceof BytesType) return `uint8_t ${own}[${element.byteLength}]`
  return `${TYPES.get(element.schema as string)} ${own}`
}
