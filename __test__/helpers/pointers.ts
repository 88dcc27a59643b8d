import type { Region } from 'pagecast'

/** Bytes of the words that pointers lead to. */
const WORD = 5

/** Puts a word somewhere, and its absolute address at the beginning of the region. */
export function point(region: Region, to: number, word: string): void {
  region.bytes.set(Buffer.from(word), to)
  region.view(BigUint64Array, 0, 1)[0] = region.addressOf(to)
}

/** What the pointer at the beginning of the region leads to, and where that is. */
export function pointedAt(region: Region): { word: string; at: number } {
  const [pointer = 0n] = region.view(BigUint64Array, 0, 1)
  const word = region.absoluteAt(pointer, pointer + BigInt(WORD))
  return { word: Buffer.from(word).toString(), at: region.offsetOf(pointer) }
}
