import { ArgumentError } from '../errors.js'
import { describe } from './problem.js'

/** Most fields a struct may have. */
export const MAX_FIELDS = 1024
/** Most structs and arrays inside one another, the outermost struct counted. */
export const MAX_DEPTH = 16
/** Largest `n` of `text(n)`, `bytes(n)` and `array(t, n)`. */
export const MAX_LENGTH = 2 ** 31 - 1
/** Largest struct in bytes. */
export const MAX_BYTE_LENGTH = 2 ** 32 - 1
/** Most values that one copy is made of: for many more the engine has no room, and ends the process. */
export const MAX_PIECES = 2 ** 24
/** Largest alignment of a struct in bytes: what every buffer of a segment has. */
export const MAX_ALIGNMENT = 64
/** Most bytes of a schema's JSON. */
export const MAX_SCHEMA_BYTES = 2 ** 20

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]{0,254}$/
const REFUSED = new Set(['__proto__', 'constructor', 'prototype'])

/** What a field name must be; the words of the error. */
export const NAME_RULE = 'an identifier of at most 255 ASCII characters other than __proto__, constructor and prototype'

export function isFieldName(name: unknown): name is string {
  return typeof name === 'string' && IDENTIFIER.test(name) && !REFUSED.has(name)
}

/** Whether `value` may be the `n` of `text(n)`, `bytes(n)` or `array(t, n)`. */
export function isLength(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_LENGTH
}

/** Throws `ERR_INVALID_ARGUMENT` unless {@link isLength}. */
export function checkLength(subject: string, value: unknown): asserts value is number {
  if (isLength(value)) return
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${subject}: expected a length from 1 to ${MAX_LENGTH}, given ${describe(value)}`)
}
