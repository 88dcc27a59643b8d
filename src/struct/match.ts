import { SchemaError } from '../errors.js'
import { ArrayType } from './array-type.js'
import type { Field } from './field.js'
import type { FieldType } from './field-type.js'
import type { Fields } from './layout.js'
import { joinPath } from './problem.js'
import { Struct } from './struct.js'

/**
 * `own`'s fields where the publisher has them, found by name and type, in nested structs too; `own` itself where that is
 * the same. Further fields of the publisher are left out and meta plays no part.
 * Throws `ERR_SCHEMA_MISMATCH` naming the first field that is missing or of another type.
 */
export function matchSchema<F extends Fields>(own: Struct<F>, publisher: Struct): Struct<F> {
  return matchStruct(own as unknown as Struct, publisher, '') as unknown as Struct<F>
}

function matchStruct(own: Struct, publisher: Struct, path: string): Struct {
  const theirs = new Map(publisher.fields.map(field => [field.name, field]))
  const fields = own.fields.map(field => matchField(field, theirs.get(field.name), joinPath(path, field.name)))
  const { byteLength, alignment } = publisher
  const isSame = byteLength === own.byteLength && alignment === own.alignment && fields.every((field, index) => field === own.fields[index])
  return isSame ? own : new Struct({ byteLength, alignment, fields })
}

function matchField(own: Field, found: Field | undefined, path: string): Field {
  if (found === undefined) mismatch(path, `expected ${own.type}, the publisher has no such field`)
  const type = matchType(own.type, found.type, path)
  const { byteOffset } = found
  return type === own.type && byteOffset === own.byteOffset ? own : { ...own, type, byteOffset }
}

function matchType(own: FieldType, found: FieldType, path: string): FieldType {
  if (own instanceof Struct && found instanceof Struct) return matchStruct(own, found, path)
  if (own instanceof ArrayType && found instanceof ArrayType && own.length === found.length) {
    const element = matchType(own.element, found.element, `${path}[]`)
    return element === own.element ? own : new ArrayType(element, own.length)
  }
  // Everything else says all there is in its schema.
  if (JSON.stringify(own.schema) !== JSON.stringify(found.schema)) mismatch(path, `expected ${own}, found ${found}`)
  return own
}

function mismatch(path: string, fact: string): never {
  throw new SchemaError('ERR_SCHEMA_MISMATCH', `match schema: field ${path}: ${fact}`)
}
