import type { Reader } from './field-type.js'
import { ScalarType, type TypedArrayConstructor } from './scalar-type.js'
import type { ScalarKind } from './schema.js'

type Store<Value> = (view: DataView, byteOffset: number, value: Value) => void

// Each kind has functions of its own, written out: V8 then inlines the one access into whoever reads or writes the field.

function integer<Window>(
  kind: ScalarKind,
  arrayType: TypedArrayConstructor & { BYTES_PER_ELEMENT: number },
  [least, most]: readonly [number, number],
  reader: (byteOffset: number) => Reader<number>,
  store: Store<number>,
): ScalarType<number, Window> {
  const accepts = (value: unknown): value is number =>
    typeof value === 'number' && value >= least && value <= most && Math.floor(value) === value
  const expected = `${kind}, an integer from ${least} to ${most}`
  return new ScalarType({ kind, byteLength: arrayType.BYTES_PER_ELEMENT, arrayType, expected, accepts, reader, store })
}

function float<Window>(
  kind: ScalarKind,
  arrayType: TypedArrayConstructor & { BYTES_PER_ELEMENT: number },
  reader: (byteOffset: number) => Reader<number>,
  store: Store<number>,
): ScalarType<number, Window> {
  const accepts = (value: unknown): value is number => typeof value === 'number'
  const expected = `${kind}, a number`
  return new ScalarType({ kind, byteLength: arrayType.BYTES_PER_ELEMENT, arrayType, expected, accepts, reader, store })
}

/** A signed integer of 8 bits. */
export const i8: ScalarType<number, Int8Array> = integer(
  'i8',
  Int8Array,
  [-128, 127],
  offset => (memory, base) => memory.view.getInt8(base + offset),
  (view, at, value) => view.setInt8(at, value),
)

/** An unsigned integer of 8 bits. */
export const u8: ScalarType<number, Uint8Array> = integer(
  'u8',
  Uint8Array,
  [0, 255],
  offset => (memory, base) => memory.view.getUint8(base + offset),
  (view, at, value) => view.setUint8(at, value),
)

/** A signed integer of 16 bits. */
export const i16: ScalarType<number, Int16Array> = integer(
  'i16',
  Int16Array,
  [-32768, 32767],
  offset => (memory, base) => memory.view.getInt16(base + offset, true),
  (view, at, value) => view.setInt16(at, value, true),
)

/** An unsigned integer of 16 bits. */
export const u16: ScalarType<number, Uint16Array> = integer(
  'u16',
  Uint16Array,
  [0, 65535],
  offset => (memory, base) => memory.view.getUint16(base + offset, true),
  (view, at, value) => view.setUint16(at, value, true),
)

/** A signed integer of 32 bits. */
export const i32: ScalarType<number, Int32Array> = integer(
  'i32',
  Int32Array,
  [-(2 ** 31), 2 ** 31 - 1],
  offset => (memory, base) => memory.view.getInt32(base + offset, true),
  (view, at, value) => view.setInt32(at, value, true),
)

/** An unsigned integer of 32 bits. */
export const u32: ScalarType<number, Uint32Array> = integer(
  'u32',
  Uint32Array,
  [0, 2 ** 32 - 1],
  offset => (memory, base) => memory.view.getUint32(base + offset, true),
  (view, at, value) => view.setUint32(at, value, true),
)

/** A float of 32 bits. Takes any number, `NaN` and infinities too, and rounds it. */
export const f32: ScalarType<number, Float32Array> = float(
  'f32',
  Float32Array,
  offset => (memory, base) => memory.view.getFloat32(base + offset, true),
  (view, at, value) => view.setFloat32(at, value, true),
)

/** A float of 64 bits. Takes any number, `NaN` and infinities too. */
export const f64: ScalarType<number, Float64Array> = float(
  'f64',
  Float64Array,
  offset => (memory, base) => memory.view.getFloat64(base + offset, true),
  (view, at, value) => view.setFloat64(at, value, true),
)

/** `true` or `false` in one byte. Any byte other than 0 reads as `true`. */
export const bool: ScalarType<boolean, never> = new ScalarType({
  kind: 'bool',
  byteLength: 1,
  expected: 'bool, true or false',
  accepts: (value: unknown): value is boolean => typeof value === 'boolean',
  reader: offset => (memory, base) => memory.view.getUint8(base + offset) !== 0,
  store: (view, at, value) => view.setUint8(at, value ? 1 : 0),
})
