/** What the engine says of arrays and their buffers. Its own getters, as they were at the beginning: an object can have a `buffer` or a `byteLength` of its own. */
import { types } from 'node:util'

function getterOf<T>(owner: object, name: string): (() => T) | undefined {
  return Object.getOwnPropertyDescriptor(owner, name)?.get as (() => T) | undefined
}

type Getters = Record<'buffer', () => ArrayBufferLike> & Record<'byteOffset' | 'byteLength', () => number>

function gettersOf(owner: object): Getters {
  const names = ['buffer', 'byteOffset', 'byteLength']
  return Object.fromEntries(names.map(name => [name, getterOf(owner, name)])) as unknown as Getters
}

const ofArrays = gettersOf(Object.getPrototypeOf(Uint8Array.prototype))
const ofDataViews = gettersOf(DataView.prototype)
const lengthOf = getterOf<number>(ArrayBuffer.prototype, 'byteLength') as () => number
const resizableOf = getterOf<boolean>(ArrayBuffer.prototype, 'resizable')

function gettersFor(view: ArrayBufferView): Getters {
  return types.isDataView(view) ? ofDataViews : ofArrays
}

export function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  return gettersFor(view).buffer.call(view)
}

/** The bytes that a view shows, as a plain view of them. Throws if its buffer is detached. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  const { buffer, byteOffset, byteLength } = gettersFor(view)
  return new Uint8Array(buffer.call(view), byteOffset.call(view), byteLength.call(view))
}

export function byteLengthOf(buffer: ArrayBuffer): number {
  return lengthOf.call(buffer)
}

export function isResizable(buffer: ArrayBuffer): boolean {
  return resizableOf?.call(buffer) === true
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
