import type { Reader, Writer } from './field-type.js'
import type { Memory } from './memory.js'
import type { Problem } from './problem.js'

/** An object that decoding fills. */
export type Row = Record<string, unknown>

/** Makes empty rows. They are plain objects, but those of one struct share a hidden class of their own. */
export type RowConstructor = new () => Row

/** Puts fields into a row, which is made where none is given. */
export type Fill = (memory: Memory, base: number, row?: Row) => Row

/** Takes fields out of an object. */
export type Drain = (memory: Memory, base: number, value: Row) => Problem | undefined

/** The fields that one lane serves. */
export interface Stretch {
  readonly Row: RowConstructor
  readonly names: readonly string[]
  readonly readers: readonly Reader[]
  readonly writers: readonly Writer[]
}

/** Most fields in one lane. */
export const LANE_WIDTH = 8

const read: Reader = () => undefined
const write: Writer = () => undefined

/**
 * A reader with a store of its own for each field. While a lane serves a single struct, each of its accesses meets one
 * name and one hidden class, and V8 compiles it to a plain load or store; shared, they would all become dictionary look-ups.
 */
export function fillLane({ Row, names, readers }: Stretch, rest: Fill | undefined): Fill {
  const count = names.length
  const [n0 = '', n1 = '', n2 = '', n3 = '', n4 = '', n5 = '', n6 = '', n7 = ''] = names
  const [r0 = read, r1 = read, r2 = read, r3 = read, r4 = read, r5 = read, r6 = read, r7 = read] = readers
  return (memory, base, row = new Row()) => {
    row[n0] = r0(memory, base)
    if (count > 1) row[n1] = r1(memory, base)
    if (count > 2) row[n2] = r2(memory, base)
    if (count > 3) row[n3] = r3(memory, base)
    if (count > 4) row[n4] = r4(memory, base)
    if (count > 5) row[n5] = r5(memory, base)
    if (count > 6) row[n6] = r6(memory, base)
    if (count > 7) row[n7] = r7(memory, base)
    return rest === undefined ? row : rest(memory, base, row)
  }
}

/** As {@link fillLane}, for writing. */
export function drainLane({ names, writers }: Stretch, rest: Drain | undefined): Drain {
  const count = names.length
  const [n0 = '', n1 = '', n2 = '', n3 = '', n4 = '', n5 = '', n6 = '', n7 = ''] = names
  const [w0 = write, w1 = write, w2 = write, w3 = write, w4 = write, w5 = write, w6 = write, w7 = write] = writers
  return (memory, base, value) =>
    w0(memory, base, value[n0]) ??
    (count > 1 ? w1(memory, base, value[n1]) : undefined) ??
    (count > 2 ? w2(memory, base, value[n2]) : undefined) ??
    (count > 3 ? w3(memory, base, value[n3]) : undefined) ??
    (count > 4 ? w4(memory, base, value[n4]) : undefined) ??
    (count > 5 ? w5(memory, base, value[n5]) : undefined) ??
    (count > 6 ? w6(memory, base, value[n6]) : undefined) ??
    (count > 7 ? w7(memory, base, value[n7]) : undefined) ??
    rest?.(memory, base, value)
}
