import { invalid } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { pageSize } from '../native.js'
import { describe } from '../struct/problem.js'

/** Bytes of a page of memory of this system (sysconf(3), `_SC_PAGESIZE`): mostly 4096. */
export const PAGE_SIZE: number = pageSize()

/**
 * The smallest multiple of {@link PAGE_SIZE} that is not less than `size` bytes.
 *
 * @throws `ERR_INVALID_ARGUMENT` if it is no whole number; `ERR_INVALID_SIZE` if it is negative, infinite or cannot be rounded exactly.
 */
export function roundToPageSize(size: number): number {
  if (typeof size !== 'number' || Number.isNaN(size) || (Number.isFinite(size) && !Number.isInteger(size))) {
    throw invalid('roundToPageSize', 'size', size, 'a whole number of bytes')
  }
  const rounded = pagesOf(size) * PAGE_SIZE
  if (size >= 0 && Number.isSafeInteger(rounded)) return rounded
  throw new ArgumentError('ERR_INVALID_SIZE', `roundToPageSize: size is ${describe(size)}, expected a number from 0 to 2^53 - ${PAGE_SIZE}`)
}

/** How many pages that many bytes begin in. */
export function pagesOf(byteLength: number): number {
  return Math.ceil(byteLength / PAGE_SIZE) + 0 // no -0
}
