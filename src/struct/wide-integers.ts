import { ArgumentError } from '../errors.js'
import type { Reader } from './field-type.js'
import type { FieldMeta } from './meta.js'
import { describe } from './problem.js'
import { ScalarType } from './scalar-type.js'

/** How an integer of 64 bits looks in JavaScript. */
export interface WideIntegerOptions<As extends 'bigint' | 'number' = 'bigint' | 'number'> {
  /** `'number'` takes and gives safe integers only (up to 2^53 - 1); reading any other throws `ERR_VALUE_RANGE`. Default `'bigint'`. */
  as: As
}

/** A type, and a function that gives it in its other looks. */
export interface WideInteger<Window> extends ScalarType<bigint, Window> {
  (options: WideIntegerOptions<'number'>): ScalarType<number, never>
  (options?: WideIntegerOptions<'bigint'>): ScalarType<bigint, Window>
}

const WORD = 2 ** 32

type Kind = 'i64' | 'u64'

function asBigint<Window>(kind: Kind): ScalarType<bigint, Window> {
  const [least, most] = kind === 'i64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n]
  const accepts = (value: unknown): value is bigint => typeof value === 'bigint' && value >= least && value <= most
  const expected = `${kind}, a bigint from ${least} to ${most}`
  const traits = { kind, byteLength: 8, expected, accepts }
  if (kind === 'i64') {
    return new ScalarType<bigint, Window>({
      ...traits,
      arrayType: BigInt64Array,
      reader: offset => (memory, base) => memory.view.getBigInt64(base + offset, true),
      store: (view, at, value) => view.setBigInt64(at, value, true),
    })
  }
  return new ScalarType<bigint, Window>({
    ...traits,
    arrayType: BigUint64Array,
    reader: offset => (memory, base) => memory.view.getBigUint64(base + offset, true),
    store: (view, at, value) => view.setBigUint64(at, value, true),
  })
}

function asNumber(kind: Kind): ScalarType<number, never> {
  const least = kind === 'i64' ? Number.MIN_SAFE_INTEGER : 0
  return new ScalarType<number, never>({
    kind,
    written: `${kind}({ as: 'number' })`,
    byteLength: 8,
    expected: `${kind}, a safe integer from ${least} to ${Number.MAX_SAFE_INTEGER}`,
    accepts: (value): value is number => Number.isSafeInteger(value) && (value as number) >= least,
    reader: kind === 'i64' ? readSigned : readUnsigned,
    store: storeNumber,
  })
}

// Two halves instead of a bigint, which would be allocated. A value that is not safe stays so when the sum rounds it.

const readSigned =
  (offset: number, name: string): Reader<number> =>
  (memory, base) => {
    const value = memory.view.getInt32(base + offset + 4, true) * WORD + memory.view.getUint32(base + offset, true)
    return Number.isSafeInteger(value) ? value : unsafe(name, memory.view.getBigInt64(base + offset, true))
  }

const readUnsigned =
  (offset: number, name: string): Reader<number> =>
  (memory, base) => {
    const value = memory.view.getUint32(base + offset + 4, true) * WORD + memory.view.getUint32(base + offset, true)
    return Number.isSafeInteger(value) ? value : unsafe(name, memory.view.getBigUint64(base + offset, true))
  }

function storeNumber(view: DataView, byteOffset: number, value: number): void {
  view.setUint32(byteOffset, value, true)
  view.setInt32(byteOffset + 4, Math.floor(value / WORD), true)
}

function unsafe(name: string, value: bigint): never {
  const subject = name === '' ? 'value' : `field ${name}`
  throw new ArgumentError('ERR_VALUE_RANGE', `${subject}: ${value} is no safe integer; without { as: 'number' } it reads as a bigint`)
}

/** The type itself is the function's prototype, so that the function is that type in every respect. */
function callable<Window>(type: ScalarType<bigint, Window>, number: ScalarType<number, never>): WideInteger<Window> {
  const choose = (options?: WideIntegerOptions): ScalarType<bigint, Window> | ScalarType<number, never> => {
    const as = options === undefined ? 'bigint' : options?.as
    if (as === 'bigint') return type
    if (as === 'number') return number
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `${type}: expected as: 'bigint' or 'number', given ${describe(as)}`)
  }
  const overrides = { with: (meta: FieldMeta) => callable(type.with(meta), number.with(meta)) }
  return Object.assign(Object.setPrototypeOf(choose, type) as WideInteger<Window>, overrides)
}

/** A signed integer of 64 bits: a `bigint`, or with `i64({ as: 'number' })` a safe integer. */
export const i64: WideInteger<BigInt64Array> = callable(asBigint('i64'), asNumber('i64'))

/** An unsigned integer of 64 bits: a `bigint`, or with `u64({ as: 'number' })` a safe integer. */
export const u64: WideInteger<BigUint64Array> = callable(asBigint('u64'), asNumber('u64'))
