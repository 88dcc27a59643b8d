// Mapped memory: what it costs to map it, to touch it and to work on its pages, and whether its bytes are as quick as any others.
import { Region, SharedMemory } from '../index.js'
import { measure, rounded, spread } from './measure.mjs'
import { compared, plainCopy } from './scene.mjs'

const UNIT = 65_536
const LARGE = 67_108_864
const MAPS = 400
const LARGE_MAPS = 60

const sources = {
  anonymous: size => ({ make: () => Region.map({ size }), close: () => {} }),
  shm: size => ofShm(size, {}),
  'shm, reserve: false': size => ofShm(size, { reserve: false }),
}

/** An object that is there. */
function ofShm(size, options) {
  const name = `bench-${process.pid}-region`
  const memory = SharedMemory.open(name, 'x', { size })
  const close = () => {
    memory.unlink()
    memory.close()
  }
  return { make: () => Region.map({ source: { shm: name }, ...options }), close }
}

/** From the call of `Region.map` to the end of `close`. */
const maps = Object.keys(sources).flatMap(what =>
  [UNIT, 1_048_576, LARGE].map(
    size =>
      ({ share }) =>
        mapCase(what, size, share),
  ),
)

function mapCase(what, size, share) {
  const { make, close } = sources[what](size)
  const times = timed(Math.round(MAPS * share), () => make().close())
  close()
  return { bench: 'regionMap', what, bytes: size, ...spread(times) }
}

/** A byte of each page of fresh memory is written. */
const touches = [false, true].map(populate => ({ share }) => {
  const touched = []
  const mapped = timed(Math.round(LARGE_MAPS * share), () => {
    const region = Region.map({ size: LARGE, populate })
    touched.push(...timed(1, () => touch(region.bytes)))
    region.close()
  })
  const facts = { bench: 'regionTouch', what: populate ? 'populate' : 'first touch', bytes: LARGE }
  return { ...facts, ...spread(mapped), touchUs: spread(touched).us }
})

function touch(bytes) {
  for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1
}

/** Microseconds of each of some calls. */
function timed(count, act) {
  return Array.from({ length: Math.max(1, count) }, () => {
    const start = performance.now()
    act()
    return (performance.now() - start) * 1e3
  })
}

const PAGES = 80
const calls = {
  slice: pages => pages.slice(4, 12).length,
  'protect r, protect rw': pages => {
    pages.protect('r')
    pages.protect('rw')
    return pages.length
  },
  'advise willneed': pages => {
    pages.advise('willneed')
    return pages.length
  },
  residency: pages => pages.residency().length,
  'flush, no wait': pages => {
    pages.flush({ wait: false })
    return pages.length
  },
  flush: pages => {
    pages.flush()
    return pages.length
  },
}

const pageCalls = Object.entries(calls).map(([what, call]) => options => {
  const region = Region.map({ source: 'memfd', size: 1_048_576, populate: true })
  const pages = region.pages.slice(44, 44 + PAGES)
  const [own] = measure([() => call(pages)], options)
  const { byteLength } = pages
  region.close()
  return { bench: 'regionPages', what, bytes: byteLength, ns: rounded(own.median), leastNs: rounded(own.least) }
})

/** Their code is compiled for each array anew, so that what the engine learned of one does not count for the other. */
const loops = {
  read: 'let sum = 0; for (let at = 0; at < array.length; at++) sum += array[at]; return sum',
  write: 'for (let at = 0; at < array.length; at++) array[at] = at & 127; return array[count & 63]',
}
const views = ['bytes', 'sharedBuffer'].flatMap(over =>
  [Uint8Array, Int32Array, Float64Array].flatMap(type => Object.keys(loops).map(loop => options => viewCase(over, type, loop, options))),
)

function viewCase(over, type, loop, options) {
  const region = Region.map({ source: 'memfd', size: UNIT })
  const own = over === 'bytes' ? region.view(type) : new type(region.sharedBuffer)
  const plain = new type(over === 'bytes' ? new ArrayBuffer(UNIT) : new SharedArrayBuffer(UNIT))
  const [mapped, other] = measure([loopOver(own.fill(1), loop), loopOver(plain.fill(1), loop)], options)
  region.close()
  return {
    bench: 'regionViews',
    what: `${over}, ${type.name}, ${loop}`,
    bytes: UNIT,
    ns: rounded(mapped.median),
    plainNs: rounded(other.median),
    ratio: rounded(mapped.median / other.median),
  }
}

function loopOver(array, loop) {
  const run = new Function('array', 'count', loops[loop])
  return count => run(array, count)
}

const copies = {
  read: region => {
    const bytes = region.read()
    return bytes[0] + bytes.length
  },
  readInto: (region, own) => region.readInto(own) + own[0],
  write: (region, own) => region.write(own),
}

/** With a `seek` before it, as each of them moves the cursor. */
const cursorCopies = Object.entries(copies).flatMap(([what, copy]) =>
  [64, 1024, UNIT].map(size => compared('regionCopy', () => cursorCase(what, copy, size))),
)

function cursorCase(what, copy, size) {
  const region = Region.map({ source: 'memfd', size })
  const own = new Uint8Array(size).fill(7)
  const operation = () => {
    region.seek(0)
    return copy(region, own)
  }
  return { facts: { what, bytes: size }, operation, plain: plainCopy(size, 1, 1), close: () => region.close() }
}

/** By an array of one's own, past the region's calls. */
const viewCopies = ['own.set(view)', 'view.set(own)'].flatMap(what =>
  [64, 1024, UNIT].map(size => compared('regionCopy', () => setCase(what, size))),
)

function setCase(what, size) {
  const region = Region.map({ source: 'memfd', size })
  const arrays = [new Uint8Array(size).fill(7), region.bytes]
  const [to, from] = what === 'own.set(view)' ? arrays : arrays.reverse()
  const operation = () => {
    to.set(from)
    return to[0] + to[size - 1]
  }
  return { facts: { what, bytes: size }, operation, plain: plainCopy(size, 1, 1), close: () => region.close() }
}

export const region = [...maps, ...touches, ...pageCalls, ...views, ...cursorCopies, ...viewCopies]
