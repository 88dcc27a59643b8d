// What the project aims at, on one ordinary server core.
const LARGE = 65_536
const LARGE_RATIO = 1.1

const small = {
  readInto: ({ buffers }) => (buffers === 1 || process.arch !== 'x64' ? 60 : 30),
  readLock: () => 50,
  readStruct: () => 150,
  write: ({ consumers }) => 100 + 10 * Math.max(0, consumers - 4),
  writeStruct: () => 200,
  rustRead: () => 12,
  rustOptimisticRead: () => 6,
  rustWrite: ({ consumers }) => (consumers === 1 ? 20 : undefined),
}

/** The aim of a row in its own unit; undefined: it has none. */
export function aimOf(row) {
  if (row.bench === 'attach') return 200
  if (row.plainNs !== undefined) return row.plainNs
  if (row.bytes >= LARGE && row.plainCopyNs !== undefined) return LARGE_RATIO * row.plainCopyNs
  return row.bytes <= 64 ? small[row.bench]?.(row) : undefined
}
