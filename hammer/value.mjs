// What the hammer's publishers write: a number, bytes that come of it, and a checksum over both.

export const BYTE_LENGTH = 1024
const WORDS = BYTE_LENGTH / 4
const LAST = WORDS - 1
const FNV_PRIME = 0x01000193
const FNV_BASIS = 0x811c9dc5
const SPREAD = 0x9e3779b1

function wordsOf(value) {
  return new Uint32Array(value.buffer, value.byteOffset, WORDS)
}

/** Makes `value` the one of this number, below 2^32, and returns it. */
export function fill(value, number) {
  const words = wordsOf(value)
  words[0] = number
  for (let index = 1; index < LAST; index++) words[index] = Math.imul(number + index, SPREAD)
  words[LAST] = checksum(words)
  return value
}

export function isWhole(value) {
  const words = wordsOf(value)
  return words[LAST] === checksum(words)
}

export function numberOf(value) {
  return wordsOf(value)[0]
}

/** FNV-1a by words, over all but the last. */
function checksum(words) {
  let hash = FNV_BASIS
  for (let index = 0; index < LAST; index++) hash = Math.imul(hash ^ words[index], FNV_PRIME)
  return hash >>> 0
}
