/** Checks of what regions take and publications do not. Each throws before anything native is called. */
import { invalid } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { describe } from '../struct/problem.js'
import { isDetached, typedArrayKind, typedArrayLength } from '../struct/typed-arrays.js'
import { PAGE_SIZE } from './page-size.js'

/** All that a process can address on x86-64, and enough elsewhere: 128 TiB. */
const ADDRESSABLE_BYTES = 2 ** 47
export const ADDRESSES = 2n ** 64n

/** Bytes. Of a region there is at least one. */
export function checkSize(what: string, size: unknown, least = 1): number | undefined {
  if (size === undefined) return undefined
  if (typeof size !== 'number' || Number.isNaN(size) || (Number.isFinite(size) && !Number.isInteger(size))) {
    throw invalid(what, 'size', size, 'a whole number of bytes')
  }
  if (size >= least && size <= ADDRESSABLE_BYTES) return size + 0 // no -0
  const range = `${least} to ${ADDRESSABLE_BYTES.toLocaleString('en-US')} bytes`
  throw new ArgumentError('ERR_INVALID_SIZE', `${what}: size is ${describe(size)}, expected ${range}`)
}

export function needSize(what: string, size: number | undefined, why: string): number {
  if (size !== undefined) return size
  throw new ArgumentError('ERR_INVALID_SIZE', `${what}: size is missing, ${why}`)
}

/** Where an object's part begins: whole pages into it. */
export function checkOffset(what: string, offset: unknown): number | undefined {
  if (offset === undefined) return undefined
  const isWhole = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0
  if (isWhole && offset % PAGE_SIZE === 0) return offset + 0 // no -0
  throw invalid(what, 'offset', offset, `a multiple of the page size, ${PAGE_SIZE}, 0 or more`)
}

/** Where pages go. */
export function checkAddress(what: string, address: unknown): bigint | undefined {
  if (address === undefined) return undefined
  const isAligned = typeof address === 'bigint' && address % BigInt(PAGE_SIZE) === 0n
  if (isAligned && address > 0n && address < ADDRESSES) return address
  throw invalid(what, 'address', address, `a bigint that is a multiple of the page size, ${PAGE_SIZE}, more than 0 and less than 2^64`)
}

/** Any address there is. */
export function checkPointer(what: string, argument: string, address: unknown): bigint {
  if (typeof address === 'bigint') return address
  throw invalid(what, argument, address, 'an address, as a bigint')
}

/** An offset or index of either sign. */
export function checkIndex(what: string, argument: string, index: unknown): number {
  if (typeof index === 'number' && Number.isSafeInteger(index)) return index + 0 // no -0
  throw invalid(what, argument, index, 'an integer')
}

/** The same, which may be missing. */
export function checkAnyIndex(what: string, argument: string, index: unknown): number | undefined {
  return index === undefined ? undefined : checkIndex(what, argument, index)
}

/** A count of bytes or elements, 0 or more. */
export function checkCount(what: string, argument: string, count: unknown): number | undefined {
  if (count === undefined) return undefined
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count + 0 // no -0
  throw invalid(what, argument, count, 'an integer, 0 or more')
}

export function checkPath(what: string, option: string, path: unknown): string {
  if (typeof path === 'string' && path !== '' && !path.includes('\0')) return path
  throw invalid(what, option, path, 'a path')
}

/** The bytes of a caller's array, to be copied. */
export function checkBytes(what: string, argument: string, value: unknown): Uint8Array {
  if (typedArrayKind(value) !== 'Uint8Array') throw invalid(what, argument, value, 'a Uint8Array')
  const array = value as Uint8Array
  if (typedArrayLength(array) > 0 || !isDetached(array)) return array
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: the ${argument}'s memory is detached or out of bounds`)
}

export function outside(what: string, argument: string, value: unknown, expected: string): ArgumentError {
  return new ArgumentError('ERR_VALUE_RANGE', `${what}: ${argument} is ${describe(value)}, expected ${expected}`)
}
