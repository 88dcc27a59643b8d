/** The bytes of a caller's array, and whether they can be mapped over. Looks only at what the engine says of an array: an object can claim anything. */
import { types } from 'node:util'
import { invalid } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { pagesWithin } from '../native.js'
import { checkSize } from './checks.js'
import type { LendableArray } from './overlay-options.js'
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

type Part = 'buffer' | 'byteOffset' | 'byteLength'
const { prototype } = Object.getPrototypeOf(Uint8Array) as { prototype: LendableArray }

function partOf(array: LendableArray, part: Part): unknown {
  const owner = types.isDataView(array) ? DataView.prototype : prototype
  return Reflect.get(owner, part, array)
}

/** Throws for what cannot be mapped over, before anything is made. */
export function lendable(what: string, array: unknown, size: unknown): Lendable {
  if (!ArrayBuffer.isView(array)) throw invalid(what, 'array', array, 'a typed array or a DataView')
  const buffer = partOf(array, 'buffer')
  if (!types.isArrayBuffer(buffer)) throw refused(what, 'is shared among threads already, as a SharedArrayBuffer is')
  if ((buffer as { resizable?: boolean }).resizable === true) throw refused(what, 'is resizable, so that its engine may take pages away')
  if (isGone(buffer)) throw refused(what, 'is detached')
  const bytes = new Uint8Array(buffer, partOf(array, 'byteOffset') as number, partOf(array, 'byteLength') as number)
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

/** Whether a buffer was detached: no view can be made of it then. */
export function isGone(buffer: ArrayBuffer): boolean {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}
