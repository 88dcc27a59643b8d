import { LockError } from '../errors.js'
import type { Guard } from './memory.js'

/** The guard of private memory. */
export const ALWAYS: Guard = Object.freeze({ check() {}, writable: true })

/** Throws `ERR_RELEASED` or `ERR_READ_ONLY`. */
export function checkWritable(guard: Guard, subject: string): void {
  guard.check()
  if (!guard.writable)
    throw new LockError('ERR_READ_ONLY', `write ${subject}: this view is for reading, only a write lock's value can be written`)
}
