// One writer of the hammer: `node writer.mjs OWNER LIMIT_MS OFFSET+LENGTH,… 3< REGION`. The Rust example `writer` is the same, in the ways that Rust has.
//
// It maps descriptor 3, prints `{"event":"ready"}`, and begins when the control word says so. In each turn it looks at each of its fields,
// whether that holds what it wrote in the turn before, and writes what is to be there in this one. When the word says so it ends, after whole turns, and
// prints `{"writes":…,"checks":…,"disturbed":…,"turn":…}`.
import { writeSync } from 'node:fs'
import { Region } from '../index.js'
import { byteOf, CONTROL, GO, LONGEST, STOP } from './layout.mjs'

const [owner, limitMs] = process.argv.slice(2, 4).map(Number)
const fields = process.argv[4].split(',').map(place => place.split('+').map(Number))

const region = Region.map({ source: { fd: 3 } })
const { bytes, sharedBuffer } = region

/** Views of the same bytes as wide as each element. */
function viewsOf(buffer) {
  return [BigUint64Array, Uint32Array, Uint16Array, Uint8Array].map(
    Type => new Type(buffer, 0, Math.floor(buffer.byteLength / Type.BYTES_PER_ELEMENT)),
  )
}

/** What is written comes from here, in the same places of a word. */
const staged = new Uint8Array(LONGEST + 8)
const stagedViews = viewsOf(staged.buffer)
const stagedData = new DataView(staged.buffer)
const found = new Uint8Array(LONGEST)

const typedViews = [BigUint64Array, Uint32Array, Uint16Array, Uint8Array].map(type => region.view(type))
const data = region.view(DataView)
const sharedViews = viewsOf(sharedBuffer)
const [, , , sharedBytes] = sharedViews

/** The widest elements that lie in the field: each is stored by `store(views, view's number, index in the view, index in the staged view)`. */
function inElements(offset, length, store) {
  const shift = (offset & 7) - offset
  for (let at = offset, end = offset + length; at < end; ) {
    let which = 0
    let size = 8
    while (at % size !== 0 || at + size > end) {
      which += 1
      size /= 2
    }
    store(which, at / size, (at + shift) / size)
    at += size
  }
}

const writes = [
  function byIndex(offset, length) {
    for (let index = 0; index < length; index++) bytes[offset + index] = staged[(offset & 7) + index]
  },
  function bySet(offset, length) {
    bytes.set(staged.subarray(offset & 7, (offset & 7) + length), offset)
  },
  function byTypedViews(offset, length) {
    inElements(offset, length, (which, to, from) => {
      typedViews[which][to] = stagedViews[which][from]
    })
  },
  /** Wherever the elements begin. */
  function byDataView(offset, length) {
    let done = 0
    const from = offset & 7
    for (; done + 8 <= length; done += 8) data.setBigUint64(offset + done, stagedData.getBigUint64(from + done))
    for (; done + 4 <= length; done += 4) data.setUint32(offset + done, stagedData.getUint32(from + done))
    for (; done + 2 <= length; done += 2) data.setUint16(offset + done, stagedData.getUint16(from + done))
    for (; done < length; done++) data.setUint8(offset + done, stagedData.getUint8(from + done))
  },
  function byWrite(offset, length) {
    region.seek(offset)
    region.write(staged.subarray(offset & 7, (offset & 7) + length))
  },
  function byAtomics(offset, length) {
    inElements(offset, length, (which, to, from) => {
      Atomics.store(sharedViews[which], to, stagedViews[which][from])
    })
  },
  function bySharedSet(offset, length) {
    sharedBytes.set(staged.subarray(offset & 7, (offset & 7) + length), offset)
  },
]

const reads = [
  (offset, length) => found.set(bytes.subarray(offset, offset + length)),
  (offset, length) => {
    for (let index = 0; index < length; index++) found[index] = data.getUint8(offset + index)
  },
  (offset, length) => {
    region.seek(offset)
    region.readInto(found.subarray(0, length))
  },
  (offset, length) => {
    for (let index = 0; index < length; index++) found[index] = Atomics.load(sharedBytes, offset + index)
  },
]

function stage(offset, length, turn) {
  for (let index = 0; index < length; index++) staged[(offset & 7) + index] = byteOf(owner, turn, index)
}

function holds(length, turn) {
  for (let index = 0; index < length; index++) if (found[index] !== byteOf(owner, turn, index)) return false
  return true
}

const counts = { writes: 0, checks: 0, disturbed: 0, turn: 0 }

/** Each field in another way in each turn. */
function takeTurn() {
  const turn = counts.turn + 1
  fields.forEach(([offset, length], at) => {
    if (counts.turn > 0) {
      reads[(turn + at) % reads.length](offset, length)
      counts.checks += 1
      if (!holds(length, counts.turn)) counts.disturbed += 1
    }
    stage(offset, length, turn)
    writes[(turn + at) % writes.length](offset, length)
    counts.writes += 1
  })
  counts.turn = turn
}

const control = region.view(Int32Array, CONTROL, 1)
const say = message => writeSync(1, `${JSON.stringify(message)}\n`)
/** Should the hammer be gone, nobody is to go on for ever. */
const end = performance.now() + limitMs
function goOnUnless(word) {
  if (performance.now() > end) throw new Error(`nobody has said anything for ${limitMs} ms`)
  return Atomics.load(control, 0) !== word
}

say({ event: 'ready' })
while (goOnUnless(GO) && goOnUnless(STOP)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
while (goOnUnless(STOP)) takeTurn()
say(counts)
