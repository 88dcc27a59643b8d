// What is published: values by which a torn or a wrong one shows.
import { array, f64, type Infer, struct, u8, u32 } from 'pagecast'

const FILL = 62

/** Two fields to tell apart, and as many more as make a copy take its time, all the same as `number`. */
export const Sample = struct({ number: u32, extra: u32, fill: array(u32, FILL) })

/** What a consumer of samples may take them for. */
export const views = {
  sample: Sample,
  /** Two of a sample's fields, elsewhere. */
  part: struct({ extra: u32, number: u32 }),
  /** A field of a sample with another type. */
  stranger: struct({ number: f64 }),
  /** A field that a sample does not have. */
  missing: struct({ number: u32, absent: u8 }),
} as const

export function sample(number: number, extra = 0): Infer<typeof Sample> {
  return { number, extra, fill: new Uint32Array(FILL).fill(number) }
}

export function sampleTold({ number, extra, fill }: { number: number; extra?: number; fill?: ArrayLike<number> }): string {
  const isWhole = fill === undefined || Array.from(fill).every(word => word === number)
  return isWhole ? `${number} ${extra}` : 'torn'
}

/** Bytes that are all the same: which, and how many. */
export function bytesTold(bytes: Uint8Array): string {
  const [first = 0] = bytes
  return bytes.every(byte => byte === first) ? `${first}x${bytes.length}` : 'torn'
}
