import { ArrayType } from './array-type.js'
import { BytesType } from './bytes-type.js'
import { checkLayout } from './check-layout.js'
import type { Field } from './field.js'
import type { FieldType } from './field-type.js'
import { isLength, MAX_DEPTH, MAX_LENGTH, MAX_SCHEMA_BYTES } from './limits.js'
import { type FieldMeta, NO_META } from './meta.js'
import { describe, joinPath } from './problem.js'
import { bool, f32, f64, i8, i16, i32, u8, u16, u32 } from './scalars.js'
import { schemaFault } from './schema-fault.js'
import { Struct } from './struct.js'
import { TextType } from './text-type.js'
import { i64, u64 } from './wide-integers.js'

type JsonObject = Readonly<Record<string, unknown>>

const SCALARS: ReadonlyMap<unknown, FieldType> = new Map(
  [i8, u8, i16, u16, i32, u32, i64, u64, f32, f64, bool].map(type => [type.schema, type.bare]),
)

/**
 * The struct that a schema describes. The JSON may be anybody's: everything that reading by it relies on is checked.
 * Throws `ERR_INVALID_SCHEMA` with the field at fault.
 */
export function structFromSchema(json: string): Struct {
  if (typeof json !== 'string') schemaFault('', `expected JSON, given ${describe(json)}`)
  const byteLength = Buffer.byteLength(json)
  if (byteLength > MAX_SCHEMA_BYTES) schemaFault('', `${byteLength} bytes of JSON, at most ${MAX_SCHEMA_BYTES} are taken`)
  return readStruct(parse(json), '', 1)
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    schemaFault('', `malformed JSON: ${(error as Error).message}`)
  }
}

function readStruct(value: unknown, path: string, depth: number): Struct {
  checkDepth(path, depth)
  const { byteLength, alignment, fields } = readObject(value, path, ['byteLength', 'alignment', 'fields'])
  if (!Array.isArray(fields)) schemaFault(path, '"fields" must be an array')
  const layout = {
    byteLength: readNumber(byteLength, 'byteLength', path),
    alignment: readNumber(alignment, 'alignment', path),
    fields: fields.map((field: unknown, index) => readField(field, joinPath(path, `${index}`), path, depth)),
  }
  checkLayout(layout, path)
  return new Struct(layout)
}

function readField(value: unknown, position: string, parent: string, depth: number): Field {
  const { name, type, byteOffset, meta } = readObject(value, position, ['name', 'type', 'byteOffset', 'meta'])
  if (typeof name !== 'string') schemaFault(position, '"name" must be a string')
  const path = joinPath(parent, name)
  return {
    name,
    type: readType(type, path, depth),
    byteOffset: readNumber(byteOffset, 'byteOffset', path),
    meta: meta === undefined ? NO_META : readMeta(meta, path),
  }
}

function readType(value: unknown, path: string, depth: number): FieldType {
  const scalar = SCALARS.get(value)
  if (scalar !== undefined) return scalar
  const object = readObject(value, path, ['text', 'bytes', 'array', 'length', 'struct'])
  const { text, bytes, array, length, struct } = object
  switch (Object.keys(object).sort().join()) {
    case 'text':
      return new TextType(readLength(text, path))
    case 'bytes':
      return new BytesType(readLength(bytes, path))
    case 'struct':
      return readStruct(struct, path, depth + 1)
    case 'array,length':
      checkDepth(path, depth + 1)
      return new ArrayType(readType(array, `${path}[]`, depth + 1), readLength(length, path))
    default:
      schemaFault(path, 'unknown type')
  }
}

function readMeta(value: unknown, path: string): FieldMeta {
  const meta = readObject(value, path)
  if (!Object.values(meta).every(text => typeof text === 'string')) {
    schemaFault(path, 'every value in "meta" must be a string')
  }
  return Object.freeze(meta as Record<string, string>)
}

function readObject(value: unknown, path: string, known?: readonly string[]): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    schemaFault(path, `expected an object, found ${describe(value)}`)
  }
  const unknown = Object.keys(value).find(key => known?.includes(key) === false)
  if (unknown !== undefined) schemaFault(path, `unknown key ${describe(unknown)}`)
  return value as JsonObject
}

function readNumber(value: unknown, key: string, path: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  schemaFault(path, `"${key}" must be a whole number, found ${describe(value)}`)
}

function readLength(value: unknown, path: string): number {
  if (isLength(value)) return value
  schemaFault(path, `length ${describe(value)}, 1 to ${MAX_LENGTH} is taken`)
}

function checkDepth(path: string, depth: number): void {
  if (depth > MAX_DEPTH) schemaFault(path, `nested ${depth} deep, at most ${MAX_DEPTH}`)
}
