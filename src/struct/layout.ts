import { ArgumentError } from '../errors.js'
import type { Field, Layout } from './field.js'
import type { FieldType } from './field-type.js'
import { isFieldName, MAX_BYTE_LENGTH, MAX_DEPTH, MAX_FIELDS, NAME_RULE } from './limits.js'
import { describe } from './problem.js'
import { checkFieldType } from './recognise.js'

/** Field names and their types, in the order they have in memory. */
export type Fields = Readonly<Record<string, FieldType>>

/** The layout a C compiler gives these fields. Throws `ERR_INVALID_ARGUMENT`. */
export function layoutOf(types: Fields): Layout {
  const entries = checkedEntries(types)
  const fields: Field[] = []
  let end = 0
  let alignment = 1
  for (const [name, type] of entries) {
    const byteOffset = roundUp(end, type.alignment)
    fields.push({ name, type: type.bare, byteOffset, meta: type.meta })
    end = byteOffset + type.byteLength
    alignment = Math.max(alignment, type.alignment)
  }
  const byteLength = roundUp(end, alignment)
  if (byteLength > MAX_BYTE_LENGTH) refuse(`${byteLength} bytes, at most ${MAX_BYTE_LENGTH} are taken`)
  return { byteLength, alignment, fields }
}

/** The least multiple of `alignment` that is at least `offset`. */
export function roundUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment
}

function checkedEntries(types: Fields): [string, FieldType][] {
  if (typeof types !== 'object' || types === null || Array.isArray(types)) {
    refuse(`expected an object of field types, given ${describe(types)}`)
  }
  const entries = Object.entries(types)
  if (entries.length < 1 || entries.length > MAX_FIELDS) refuse(`${entries.length} fields, 1 to ${MAX_FIELDS} are taken`)
  for (const [name, type] of entries) {
    if (!isFieldName(name)) refuse(`a field name is ${NAME_RULE}, given ${describe(name)}`)
    checkFieldType(`struct: field ${name}`, type)
    if (type.depth >= MAX_DEPTH) refuse(`field ${name} makes structs and arrays ${type.depth + 1} deep, at most ${MAX_DEPTH}`)
  }
  return entries
}

function refuse(fact: string): never {
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `struct: ${fact}`)
}
