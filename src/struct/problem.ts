import { ArgumentError } from '../errors.js'
import { typedArrayKind, typedArrayLength } from './typed-arrays.js'

/** Why a value was refused. Returned, not thrown: nothing is allocated while values are good, and each level adds its part of the path. */
export class Problem {
  readonly code: string
  readonly path: string
  readonly expected: string
  readonly given: unknown

  constructor(path: string, expected: string, given: unknown, code = 'ERR_VALUE_RANGE') {
    this.code = code
    this.path = path
    this.expected = expected
    this.given = given
  }

  /** The same problem seen from the container: `x` within `inner` is `inner.x`, `[3]` within `trail` is `trail[3]`. */
  within(name: string): Problem {
    return new Problem(joinPath(name, this.path), this.expected, this.given, this.code)
  }

  /** The same problem, known to be a field that is not there. */
  asMissing(): Problem {
    return new Problem(this.path, this.expected, this.given, 'ERR_MISSING_FIELD')
  }

  toError(): ArgumentError {
    return new ArgumentError(this.code, `${this.path === '' ? 'value' : `field ${this.path}`}: ${this.#fact()}`)
  }

  #fact(): string {
    if (this.code === 'ERR_MISSING_FIELD') return `missing, expected ${this.expected}`
    if (this.code === 'ERR_UNKNOWN_FIELD') return `unknown, expected ${this.expected}`
    return `expected ${this.expected}, given ${describe(this.given)}`
  }
}

/** Joins two parts of a field's path; either may be empty. */
export function joinPath(outer: string, inner: string): string {
  return outer === '' || inner === '' || inner.startsWith('[') ? outer + inner : `${outer}.${inner}`
}

const LONGEST = 40

/** A value in a few words. Runs none of the value's own code. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return describeText(value)
  if (typeof value === 'bigint') return `the bigint ${shorten(`${value}`)}`
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'function') return 'a function'
  const kind = typedArrayKind(value)
  if (kind !== undefined) return `a ${kind} of ${typedArrayLength(value)}`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return Object.is(value, -0) ? '-0' : String(value)
}

function describeText(value: string): string {
  const quoted = JSON.stringify(value.slice(0, LONGEST))
  return value.length > LONGEST ? `${quoted}… (${value.length} characters)` : quoted
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
