import { ArgumentError } from '../errors.js'
import { FieldType } from './field-type.js'
import { describe } from './problem.js'

/** Throws `ERR_INVALID_ARGUMENT` unless `type` is the type of a field. */
export function checkFieldType(subject: string, type: unknown): asserts type is FieldType {
  if (type instanceof FieldType) return
  throw new ArgumentError(
    'ERR_INVALID_ARGUMENT',
    `${subject}: expected a field type such as i32, text(16) or a struct, given ${describe(type)}`,
  )
}
