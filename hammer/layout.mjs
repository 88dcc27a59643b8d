// Who owns which bytes of the region that the writers share, and what is in them.

/** How long the region is: one page of the engine's, so that it has a `sharedBuffer`. */
export const BYTE_LENGTH = 65_536
/** Where the word is that says what to do. Everybody else's bytes are elsewhere. */
export const CONTROL = 0
export const GO = 1
export const STOP = 2
/** Two pages' worth of bytes, across three pages: so few that their owners meet in the same words all the time. */
const BEGIN = 4096 - 100
const END = BEGIN + 2 * 4096
/** More than any processor takes at once from one instruction. */
export const LONGEST = 64
/** Half of the fields fit into a word. */
const SHORT = 8

/**
 * Adjacent fields of 1 to 64 bytes, which leave nothing out, each of another owner than its neighbours. `overlap` gives one byte more to
 * somebody who does not own it.
 */
export function layout(owners, random, overlap) {
  const fields = []
  for (let offset = BEGIN; offset < END; offset += fields.at(-1).length) {
    const length = Math.min(END - offset, 1 + Math.floor(random() * (random() < 0.5 ? SHORT : LONGEST)))
    fields.push({ owner: anotherOwner(fields.at(-1)?.owner, owners, random), offset, length })
  }
  if (overlap) fields.push({ owner: (fields[0].owner + 1) % owners, offset: fields[0].offset, length: 1 })
  return fields
}

function anotherOwner(neighbour, owners, random) {
  if (neighbour === undefined) return Math.floor(random() * owners)
  return (neighbour + 1 + Math.floor(random() * (owners - 1))) % owners
}

/** What the owner writes to a byte of a field of his in a turn, in no two turns that follow one another the same. */
export function byteOf(owner, turn, index) {
  return (37 * owner + 101 * turn + 11 * index + 1) & 0xff
}
