import { ArgumentError } from '../errors.js'
import { describe } from './problem.js'

/** What is known of a field beside its type, such as `unit` and `description`. Travels with the schema; plays no part in matching. */
export type FieldMeta = Readonly<Record<string, string>>

export const NO_META: FieldMeta = Object.freeze({})

// An object would move keys like "0" to the front, and the schema's bytes would depend on who wrote them.
const INDEX = /^(?:0|[1-9][0-9]*)$/
const LONE_SURROGATE = /\p{Surrogate}/u

/** A frozen copy of what the caller gave. Throws `ERR_INVALID_ARGUMENT`. */
export function checkedMeta(meta: unknown): FieldMeta {
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) refuse(`expected an object, given ${describe(meta)}`)
  const copy: Record<string, unknown> = { ...meta }
  for (const [key, value] of Object.entries(copy)) {
    if (key === '__proto__' || INDEX.test(key) || LONE_SURROGATE.test(key)) refuse(`${describe(key)} cannot be a key`)
    if (typeof value !== 'string' || LONE_SURROGATE.test(value)) {
      refuse(`${key}: expected well-formed text, given ${describe(value)}`)
    }
  }
  return Object.freeze(copy as Record<string, string>)
}

function refuse(fact: string): never {
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `with: ${fact}`)
}
