import type { TypedArray } from './scalar-type.js'

type Mutator = 'set' | 'fill' | 'sort' | 'reverse' | 'copyWithin' | 'subarray' | 'buffer' | 'valueOf'

/** A typed array that is not to be written. It is the compiler that says so: at run time it is an ordinary window. */
export type ReadonlyTypedArray<A> = Omit<A, Mutator | number> & {
  readonly [index: number]: A extends { readonly [index: number]: infer Element } ? Element : never
}

// The engine's own getters: an object can claim any prototype, and have any `length` of its own.
const { prototype } = Object.getPrototypeOf(Uint8Array) as { prototype: object }
const tagOf = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)?.get as () => string | undefined
const { set } = Uint8Array.prototype
const NOTHING = new Uint8Array()
const lengthOf = Object.getOwnPropertyDescriptor(prototype, 'length')?.get as () => number

/** The kind of typed array `value` really is, such as `'Float64Array'`; `undefined` when it is none. */
export function typedArrayKind(value: unknown): string | undefined {
  return tagOf.call(value)
}

/** How many elements a typed array really has. */
export function typedArrayLength(value: unknown): number {
  return lengthOf.call(value)
}

/** Whether the memory of an array that shows length 0 is gone: it was transferred, or is shorter than where the array begins. */
export function isDetached(empty: Uint8Array): boolean {
  try {
    set.call(empty, NOTHING)
    return false
  } catch {
    return true
  }
}

/** `value` as a typed array of this kind, if it is one. */
export function asTypedArray(value: unknown, kind: string): TypedArray | undefined {
  return typedArrayKind(value) === kind ? (value as TypedArray) : undefined
}
