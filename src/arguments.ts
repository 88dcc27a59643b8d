import { ArgumentError } from './errors.js'
import { describe } from './struct/problem.js'

/** Every check throws before anything native is called. `what` is operation and subject: `create pose`. */
export function invalid(what: string, argument: string, value: unknown, expected: string): ArgumentError {
  return new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: ${argument} is ${describe(value)}, expected ${expected}`)
}

/** The options, or an empty object; a key that is not `known` is more likely a typing mistake than a wish. */
export function checkOptions<T extends object>(what: string, options: T | undefined, known: readonly (keyof T & string)[]): Partial<T> {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalid(what, 'options', options, 'an object')
  }
  const stranger = Object.keys(options).find(key => !known.includes(key as keyof T & string))
  if (stranger === undefined) return options
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: there is no option ${JSON.stringify(stranger)}, expected ${known.join(', ')}`)
}

/** The same, as they are now: a getter among them is asked once, and before anything is looked at that it could close. */
export function readOptions<T extends object>(what: string, options: T | undefined, known: readonly (keyof T & string)[]): Partial<T> {
  const given = checkOptions(what, options, known)
  return Object.fromEntries(known.map(key => [key, given[key]])) as Partial<T>
}

const LONGEST_NAME = 255
const RESERVED = '.pagecast-'

/** A segment's name: what may be a file's name. */
export function checkName(operation: string, name: unknown): string {
  const fault = nameFault(name)
  if (fault === undefined) return name as string
  throw new ArgumentError('ERR_INVALID_NAME', `${operation}: the name ${describe(name)} ${fault}`)
}

function nameFault(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'is no string'
  if (name === '') return 'is empty'
  if (name === '.' || name === '..') return 'is a directory'
  if (name.includes('/')) return 'holds a slash'
  if (name.includes('\0')) return 'holds a NUL'
  if (/\p{Surrogate}/u.test(name)) return 'is not well-formed Unicode'
  const bytes = Buffer.byteLength(name)
  if (bytes > LONGEST_NAME) return `has ${bytes} bytes, at most ${LONGEST_NAME} fit`
  return name.startsWith(RESERVED) ? `begins with ${RESERVED}, which is reserved` : undefined
}

/** Bytes of a memfd's label, after the `memfd:` that the kernel puts before it. */
const LONGEST_LABEL = 249
const MOST_IDS = 2 ** 31 - 1

/** What a memfd is called in /proc. */
export function checkLabel(what: string, option: string, label: unknown): string {
  if (typeof label !== 'string' || label.includes('\0')) throw invalid(what, option, label, 'a string without NUL')
  const bytes = Buffer.byteLength(label)
  if (bytes <= LONGEST_LABEL) return label
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: ${option} has ${bytes} bytes, at most ${LONGEST_LABEL} fit`)
}

/** A number that the kernel gave to something: a descriptor, or the id of a SysV segment. */
export function checkId(what: string, option: string, id: unknown): number {
  const number = checkInteger(what, option, id, 0, MOST_IDS)
  if (number !== undefined) return number
  throw invalid(what, option, id, `an integer from 0 to ${MOST_IDS}`)
}

export function checkDirectory(what: string, directory: unknown): string | undefined {
  if (directory === undefined) return undefined
  if (typeof directory === 'string' && directory !== '' && !directory.includes('\0')) return directory
  throw invalid(what, 'directory', directory, 'a path')
}

export function checkInteger(what: string, option: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(what, option, value, `an integer from ${least} to ${most}`)
}

/** Permission bits; the publisher itself needs to read and write. */
export function checkMode(what: string, mode: unknown): number | undefined {
  const bits = checkInteger(what, 'mode', mode, 0, 0o777)
  if (bits === undefined || (bits & 0o600) === 0o600) return bits
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: mode is 0o${bits.toString(8)}, expected one that has the bits 0o600`)
}

export function checkBoolean(what: string, option: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw invalid(what, option, value, 'true or false')
}

export function checkChoice<T extends string>(what: string, option: string, value: unknown, choices: readonly T[]): T | undefined {
  if (value === undefined || choices.includes(value as T)) return value as T | undefined
  throw invalid(what, option, value, `one of ${choices.join(', ')}`)
}

export function checkFunction(what: string, argument: string, value: unknown): void {
  if (typeof value !== 'function') throw invalid(what, argument, value, 'a function')
}

/** Milliseconds; 0 means: do not wait. */
export function checkTimeout(what: string, timeout: unknown): number | undefined {
  if (timeout === undefined) return undefined
  if (typeof timeout === 'number' && Number.isFinite(timeout) && timeout >= 0) return timeout
  throw invalid(what, 'timeout', timeout, 'a finite number of milliseconds, 0 or more')
}

/** The milliseconds between two values. */
export function checkRate(what: string, maxRate: unknown): number | undefined {
  if (maxRate === undefined) return undefined
  if (typeof maxRate === 'number' && Number.isFinite(maxRate) && maxRate > 0) return 1000 / maxRate
  throw invalid(what, 'maxRate', maxRate, 'a finite number of values a second, more than 0')
}

export function checkSignal(what: string, signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined
  if (signal instanceof AbortSignal) return signal
  throw invalid(what, 'signal', signal, 'an AbortSignal')
}

/** What a synchronous scope must not return: it would go on after the lock is gone. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** What becomes of the promise is nobody's business any more: its failure would only be that the lock is gone. */
export function promiseReturned(what: string, promise: PromiseLike<unknown>): ArgumentError {
  const ignore = (): void => {}
  promise.then(ignore, ignore)
  return new ArgumentError(
    'ERR_PROMISE_RETURNED',
    `${what}: the function returned a promise, but the lock ends when it returns; use a lock with \`using\``,
  )
}
