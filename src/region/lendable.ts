/** The bytes of a caller's array, and whether they can be mapped over. Looks only at what the engine says of an array: an object can claim anything. */
import { types } from 'node:util'
import { invalid } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { pagesWithin } from '../native.js'
import { bufferOf, bytesOf, isGone, isResizable } from './buffers.js'
import { checkSize } from './checks.js'
import { PAGE_SIZE } from './page-size.js'

/** An array, and which of its bytes are whole pages. */
export interface Lendable {
  readonly buffer: ArrayBuffer
  /** All its bytes. */
  readonly bytes: Uint8Array
  /** From its first byte to the first page. */
  readonly byteOffset: number
  /** Of the pages. */
  readonly byteLength: number
}

/** Throws for what cannot be mapped over, before anything is made. */
export function lendable(what: string, array: unknown, size: unknown): Lendable {
  if (!ArrayBuffer.isView(array)) throw invalid(what, 'array', array, 'a typed array or a DataView')
  const buffer = bufferOf(array)
  if (!types.isArrayBuffer(buffer)) throw refused(what, 'is shared among threads already, as a SharedArrayBuffer is')
  if (isResizable(buffer)) throw refused(what, 'is resizable, so that its engine may take pages away')
  checkThere(what, buffer)
  const bytes = bytesOf(array)
  const { byteOffset, byteLength } = pagesWithin(bytes)
  if (byteLength === 0) {
    const message = `no whole page of ${PAGE_SIZE} bytes lies within the array's ${bytes.length}; make it a page longer than what is to be shared`
    throw new ArgumentError('ERR_INVALID_SIZE', `${what}: ${message}`)
  }
  const asked = checkSize(what, size) ?? byteLength
  if (asked > byteLength) {
    const message = `size is ${asked}, but of the array's ${bytes.length} bytes only ${byteLength} are whole pages`
    throw new ArgumentError('ERR_INVALID_SIZE', `${what}: ${message}; make it a page longer than what is to be shared`)
  }
  return { buffer, bytes, byteOffset, byteLength }
}

function refused(what: string, fact: string): ArgumentError {
  return new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: the array's buffer ${fact}`)
}

/** Throws if the buffer was detached, as it may be at any time while code of the caller runs. */
export function checkThere(what: string, buffer: ArrayBuffer): void {
  if (isGone(buffer)) throw refused(what, 'is detached')
}
