import { invalid } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { checkCount, checkIndex, outside } from './checks.js'

/** What {@link Region.view} makes views of: a constructor of typed arrays, or `DataView`. */
export type ViewConstructor =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor
  | DataViewConstructor

type Make = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayBufferView

const sizes = new Map<unknown, number>([[DataView, 1]])
for (const name of [
  'Int8',
  'Uint8',
  'Uint8Clamped',
  'Int16',
  'Uint16',
  'Int32',
  'Uint32',
  'Float16',
  'Float32',
  'Float64',
  'BigInt64',
  'BigUint64',
]) {
  const type = Reflect.get(globalThis, `${name}Array`) as Uint8ArrayConstructor | undefined // Float16Array is not everywhere
  if (type !== undefined) sizes.set(type, type.BYTES_PER_ELEMENT)
}

/** A view by the rules of the constructor `type`, with a code where that has none. The region ends where its bytes do, not where their buffer does. */
export function viewOf<C extends ViewConstructor>(
  what: string,
  type: C,
  byteOffset: unknown,
  length: unknown,
  bytesOf: () => Uint8Array,
): C['prototype'] {
  const size = sizes.get(type)
  if (size === undefined) throw invalid(what, 'type', type, 'a constructor of typed arrays, or DataView')
  const begin = checkIndex(what, 'byteOffset', byteOffset)
  const count = checkCount(what, 'length', length)
  const bytes = bytesOf()
  const start = begin < 0 ? bytes.length + begin : begin
  if (start < 0 || start > bytes.length) throw outside(what, 'byteOffset', begin, `one from -${bytes.length} to ${bytes.length}`)
  if (start % size !== 0) throw invalid(what, 'byteOffset', begin, `one whose place is a multiple of the element's ${size} bytes`)
  const elements = lengthOf(what, bytes.length - start, size, count)
  return new (type as unknown as Make)(bytes.buffer, bytes.byteOffset + start, elements) as C['prototype']
}

function lengthOf(what: string, byteLength: number, size: number, count: number | undefined): number {
  const most = Math.floor(byteLength / size)
  if (count !== undefined && count > most) throw outside(what, 'length', count, `at most ${most}`)
  if (count !== undefined || byteLength % size === 0) return count ?? most
  throw new ArgumentError('ERR_INVALID_SIZE', `${what}: the ${byteLength} bytes that are left are no multiple of the element's ${size}`)
}
