import { ArgumentError } from '../errors.js'
import { BytesType } from './bytes-type.js'
import { Declarations, isStruct, naturalAlignment, place, unwrap } from './declare.js'
import type { FieldType } from './field-type.js'
import type { FieldMeta } from './meta.js'
import { describe } from './problem.js'
import type { Struct } from './struct.js'
import { TextType } from './text-type.js'

const KEYWORDS = new Set(
  (
    'abstract as async await become box break const continue do dyn else enum extern false final fn for gen if impl in let loop ' +
    'macro match mod move mut override priv pub ref return static struct trait true try type typeof unsafe unsized use virtual ' +
    'where while yield'
  ).split(' '),
)

/** Keywords that `r#` does not help, and what is no name at all. */
const IMPOSSIBLE = new Set(['self', 'Self', 'super', 'crate', '_'])

/** The declaration of a struct in Rust, structs inside it first. */
export function toRust(type: Struct, name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || KEYWORDS.has(name) || IMPOSSIBLE.has(name)) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `toRust: expected a name for a struct in Rust, given ${describe(name)}`)
  }
  const declarations = new Declarations(declare)
  declarations.nameOf(type, name)
  return `pagecast::record! {\n${declarations}}\n`
}

function declare(type: Struct, name: string, declarations: Declarations): string {
  const { placed, tail } = place(type)
  if (tail !== 0 || placed.some(({ gap }) => gap !== 0) || type.alignment !== naturalAlignment(type)) {
    unsupported(`the layout of ${name} is not what repr(C) makes of its fields`)
  }
  const lines = placed.map(({ field }) => {
    const wish = `${name}${field.name[0]?.toUpperCase()}${field.name.slice(1)}`
    return `${notes(field.meta)}        pub ${identifier(field.name)}: ${typeName(field.type, wish, declarations)},\n`
  })
  return `    pub struct ${name} {\n${lines.join('')}    }\n`
}

function typeName(type: FieldType, wish: string, declarations: Declarations): string {
  const { element, lengths } = unwrap(type)
  const name = elementName(element, wish, declarations)
  return lengths.reduceRight((inner, length) => `[${inner}; ${length}]`, name)
}

function elementName(element: FieldType, wish: string, declarations: Declarations): string {
  if (isStruct(element)) return declarations.nameOf(element, wish)
  if (element instanceof TextType) return `pagecast::Text<${element.byteLength}>`
  if (element instanceof BytesType) return `pagecast::Bytes<${element.byteLength}>`
  return element.schema as string
}

function identifier(name: string): string {
  if (name.includes('$') || IMPOSSIBLE.has(name)) unsupported(`${name} cannot be a field's name`)
  return KEYWORDS.has(name) ? `r#${name}` : name
}

function notes(meta: FieldMeta): string {
  const entries = Object.entries(meta).map(([key, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) unsupported(`${describe(key)} cannot be a note's name`)
    return `${identifier(key)} = ${rustString(value)}`
  })
  return entries.length === 0 ? '' : `        #[meta(${entries.join(', ')})]\n`
}

function rustString(value: string): string {
  const escaped = value.replace(/["\\]|\p{Cc}/gu, char => (char === '"' || char === '\\' ? `\\${char}` : `\\u{${hex(char)}}`))
  return `"${escaped}"`
}

function hex(char: string): string {
  return char.charCodeAt(0).toString(16)
}

function unsupported(fact: string): never {
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `toRust: ${fact}`)
}
