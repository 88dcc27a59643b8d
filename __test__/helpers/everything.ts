import { array, bool, bytes, f32, f64, i8, i16, i32, i64, struct, text, u8, u16, u32, u64 } from 'pagecast'

const Inner = struct({ label: text(5), flags: array(bool, 3), weight: f32 })

/** A field of every kind. */
export const Everything = struct({
  i8,
  u8,
  i16,
  u16,
  i32,
  u32,
  i64,
  u64,
  f32,
  f64,
  bool,
  text: text(7),
  bytes: bytes(5),
  grid: array(array(u16, 2), 3),
  inner: Inner,
  inners: array(Inner, 2),
})

export function everything(number: number) {
  const inner = (label: string) => ({ label, flags: [true, false, number % 2 === 0], weight: number / 4 })
  return {
    i8: -1 - number,
    u8: 255 - number,
    i16: -32_768 + number,
    u16: 65_535 - number,
    i32: -(2 ** 31) + number,
    u32: 2 ** 32 - 1 - number,
    i64: -(2n ** 63n) + BigInt(number),
    u64: 2n ** 64n - 1n - BigInt(number),
    f32: number / 8,
    f64: Math.PI * number,
    bool: number % 2 === 1,
    text: `té ${number}`,
    bytes: Uint8Array.of(1, 2, 3, 4, number),
    grid: [Uint16Array.of(1, 2), Uint16Array.of(3, 4), Uint16Array.of(5, number)],
    inner: inner('only'),
    inners: [inner('one'), inner('two')],
  }
}
