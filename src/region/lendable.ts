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
  /** The caller's. */
  readonly array: ArrayBufferView
  readonly buffer: ArrayBuffer
  /** All its bytes. */
  readonly bytes: Uint8Array
  /** From its first byte to the first page. */
  readonly byteOffset: number
  /** Of the pages to be mapped over: what was asked for, or as many as lie within so many bytes wherever in a page they begin, which is the same in every process. */
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
  const within = pagesWithin(bytes)
  const asked = checkSize(what, size) ?? surelyWithin(bytes.length)
  if (asked === 0 || within.byteLength === 0) {
    const message = `no whole page of ${PAGE_SIZE} bytes lies within the array's ${bytes.length} for certain; make it a page longer than what is to be shared`
    throw new ArgumentError('ERR_INVALID_SIZE', `${what}: ${message}`)
  }
  if (asked > within.byteLength) {
    const message = `size is ${asked}, but of the array's ${bytes.length} bytes only ${within.byteLength} are whole pages`
    throw new ArgumentError('ERR_INVALID_SIZE', `${what}: ${message}; make it a page longer than what is to be shared`)
  }
  return { array, buffer, bytes, byteOffset: within.byteOffset, byteLength: asked }
}

/** Bytes of whole pages, if the first of these bytes may be any of a page's. */
function surelyWithin(byteLength: number): number {
  return Math.max(0, Math.floor((byteLength + 1) / PAGE_SIZE) - 1) * PAGE_SIZE
}

function refused(what: string, fact: string): ArgumentError {
  return new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: the array's buffer ${fact}`)
}

/** Throws if the buffer was detached, as it may be at any time while code of the caller runs. */
export function checkThere(what: string, buffer: ArrayBuffer): void {
  if (isGone(buffer)) throw refused(what, 'is detached')
}
