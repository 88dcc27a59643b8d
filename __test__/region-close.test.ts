import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { PAGE_SIZE, Region } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { comesPageByPage } from './helpers/huge-pages.js'
import { bytesOfFile, fileOf, pattern, usesOf } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

const disposed = { code: 'ERR_DISPOSED' }

regions('what is not to be detached shows zeros, and is nobody else’s any more', (t, { directory }) => {
  const file = fileOf(directory, pattern(PAGE_SIZE))
  const region = Region.map({ source: { file } })
  const { bytes } = region
  for (const options of [null, 5, { detach: 1 }, { detach: null }, { keep: true }, []]) {
    t.throws(() => region.close(options as never), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.false(region.closed)
  region.close({ detach: false })
  t.true(region.closed)
  t.deepEqual([bytes.length, bytes.some(byte => byte !== 0)], [PAGE_SIZE, false])
  bytes.fill(9)
  t.deepEqual(new Uint8Array(readFileSync(file)), pattern(PAGE_SIZE))
  region.close()
  t.is(bytes.length, PAGE_SIZE, 'twice is once')
  t.throws(() => region.bytes, { code: 'ERR_DISPOSED' })
})

regions('one that was closed does nothing more', t => {
  const region = Region.map({ size: 65_536 })
  const { bytes, sharedBuffer } = region
  const views = [bytes, region.at(10, 20), region.view(Float64Array), region.pages.slice(1, 2).bytes, bytes.subarray(5)]
  const words = region.view(Int32Array)
  bytes.fill(7)
  t.false(region.closed)
  region[Symbol.dispose]()
  region[Symbol.dispose]()
  region.close()
  t.true(region.closed)
  for (const use of usesOf(region)) t.throws(use, disposed, String(use))
  for (const view of views) {
    t.is(view.length, 0)
    t.is(view.buffer.byteLength, 0)
    t.is(view[0] as unknown, undefined)
  }
  t.throws(() => Atomics.load(words, 0))
  t.throws(() => new DataView(bytes.buffer).getInt8(0))
  bytes[0] = 1 // ignored, as for every detached view
  t.true(
    new Uint8Array(sharedBuffer).every(byte => byte === 0),
    'a shared one shows zeros',
  )
})

regions('using closes it, also by a throw', (t, { directory }) => {
  const file = fileOf(directory, pattern(100))
  const before = holdings(directory)
  let left: Uint8Array | undefined
  t.throws(
    () => {
      using region = Region.map({ source: { file } })
      left = region.bytes
      throw new Error('the end')
    },
    { message: 'the end' },
  )
  t.is(left?.length, 0)
  t.deepEqual(holdings(directory), before)
})

regions('descriptors and mappings come back', (t, { directory }) => {
  const file = fileOf(directory, pattern(65_536))
  const live = (round: number) => {
    using named = Region.map({ source: { file } })
    using anonymous = Region.map({ size: 65_536, sharing: round % 2 === 0 ? 'shared' : 'private' })
    named.bytes[0] = round
    if (anonymous.sharing === 'shared') new Uint8Array(anonymous.sharedBuffer)[0] = round
    return new Uint8Array(named.sharedBuffer)[0]
  }
  live(0)
  const before = holdings(directory)
  for (let round = 0; round < 300; round++) t.is(live(round), round & 255)
  t.deepEqual(holdings(directory), before)
})

regions('nobody else can take the memory away', t => {
  using region = Region.map({ size: PAGE_SIZE })
  const { buffer } = region.bytes
  region.bytes[0] = 7
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
  } catch {
    // newer engines refuse, older ones copy
  }
  t.is(region.bytes[0], 7)
  t.is(region.bytes.length, PAGE_SIZE)
})

regions('a private one is a copy that nobody else sees', (t, { directory }) => {
  const file = fileOf(directory, pattern(3 * PAGE_SIZE))
  using shared = Region.map({ source: { file } })
  using copy = Region.map({ source: { file }, sharing: 'private' })
  t.is(copy.sharing, 'private')
  copy.bytes[0] = 250
  copy.seek(PAGE_SIZE)
  copy.write(Uint8Array.of(251))
  t.deepEqual([copy.bytes[0], copy.bytes[PAGE_SIZE]], [250, 251])
  t.deepEqual(shared.bytes, pattern(3 * PAGE_SIZE))
  shared.bytes[2 * PAGE_SIZE] = 252
  t.is(copy.bytes[2 * PAGE_SIZE], 252, 'what it has not written is the file’s')
  t.throws(() => copy.sharedBuffer, { code: 'ERR_PRIVATE' })
  t.throws(() => copy.resize(PAGE_SIZE), { code: 'ERR_PRIVATE' })
  copy.pages.slice(0, 1).advise('dontneed')
  t.is(copy.bytes[0], pattern(1)[0], 'and what is dropped is the file’s again')
  t.deepEqual(bytesOfFile(file, 0, 1), [pattern(1)[0]])
})

regions('a private one of a file that may only be read can be written', (t, { directory }) => {
  const file = fileOf(directory, pattern(100))
  using region = Region.map({ source: { file }, access: 'rw', sharing: 'private' })
  region.bytes[0] = 9
  t.is(region.read()[0], 9)
  using strict = Region.map({ source: { file }, access: 'r', sharing: 'private' })
  strict.bytes[0] = 8
  t.throws(() => strict.tell(), { code: 'ERR_READ_ONLY' })
  t.is(strict.bytes[0], 8, 'there it stays')
  t.is(readFileSync(file)[0], pattern(1)[0])
})

regions('longer and shorter, with its object', (t, { directory }) => {
  const file = fileOf(directory, pattern(3 * PAGE_SIZE))
  using region = Region.map({ source: { file }, offset: PAGE_SIZE })
  region.seek(0, 'end')
  for (const size of [5 * PAGE_SIZE, PAGE_SIZE + 1, 10, 65_536, 200_000]) {
    const { bytes } = region
    const kept = bytes.slice(0, size)
    region.resize(size)
    t.deepEqual([bytes.length, bytes.buffer.byteLength], [0, 0])
    t.is(region.byteLength, size)
    t.is(region.bytes.length, size)
    t.is(statSync(file).size, PAGE_SIZE + size)
    t.deepEqual(region.at(0, kept.length), kept)
    t.true(region.at(kept.length).every(byte => byte === 0))
    t.is(region.pages.length, Math.ceil(size / PAGE_SIZE))
    region.bytes[size - 1] = 5
    t.deepEqual(bytesOfFile(file, PAGE_SIZE + size - 1, 2), [5])
  }
  t.is(region.tell(), 10, 'the cursor goes no further than the end')
})

regions('shared buffers of before a resize see what is left', t => {
  using region = Region.map({ source: 'memfd', size: 4 * 65_536 })
  const before = new Uint8Array(region.sharedBuffer)
  region.bytes.fill(6)
  region.resize(65_536)
  t.is(before.length, 4 * 65_536)
  t.is(before[65_535], 6)
  t.is(before[65_536], 0)
  const now = new Uint8Array(region.sharedBuffer)
  t.is(now.length, 65_536)
  now[0] = 9
  t.deepEqual([before[0], region.bytes[0]], [9, 9])
  t.is(region.tell(), 0, 'it was this process that made it shorter')
  region.resize(8 * 65_536)
  t.deepEqual([region.bytes[0], region.bytes[65_536]], [9, 0])
})

regions('anonymous memory that is made shorter stays as long, and gives its room back', t => {
  using region = Region.map({ size: 4 * 65_536 })
  region.bytes.fill(6)
  const full = fstatSync(region.fd).blocks
  region.resize(PAGE_SIZE)
  const { size, blocks } = fstatSync(region.fd)
  t.deepEqual([region.byteLength, region.bytes.length, size], [PAGE_SIZE, PAGE_SIZE, 4 * 65_536])
  if (comesPageByPage()) t.deepEqual([full, blocks], [(4 * 65_536) / 512, PAGE_SIZE / 512])
  else t.log(`of huge pages, if any is free: ${full} blocks, then ${blocks}`)
  region.resize(2 * PAGE_SIZE)
  t.deepEqual([region.bytes[PAGE_SIZE - 1], region.bytes[PAGE_SIZE]], [6, 0])
})

regions('what may not be resized', (t, { directory }) => {
  const file = fileOf(directory, pattern(PAGE_SIZE))
  for (const access of ['r', 'rx', 'none'] as const) {
    using region = Region.map({ source: { file }, access })
    t.throws(() => region.resize(10), { code: 'ERR_READ_ONLY' }, access)
  }
  t.is(statSync(file).size, PAGE_SIZE)
})

regions('what is detached stays, and is nobody’s', async (t, { directory }) => {
  const file = fileOf(directory, pattern(65_536))
  const region = Region.map({ source: { file } })
  const { sharedBuffer, address } = region
  const left = region.detach()
  t.true(region.closed)
  t.deepEqual([left.address, left.byteLength], [address, 65_536])
  t.deepEqual(left.bytes, pattern(65_536))
  for (const use of usesOf(region)) t.throws(use, disposed, String(use))
  region.close()
  left.bytes[0] = 99
  t.is(readFileSync(file)[0], 99)
  t.is(new Uint8Array(sharedBuffer)[0], 99)
  t.true(readFileSync('/proc/self/maps', 'utf8').includes(file))
})

regions('many at once, each with its own bytes', (t, { directory }) => {
  const before = readdirSync('/proc/self/fd').length
  const regions = Array.from({ length: 200 }, (_, index) =>
    Region.map({ size: 1 + index * 100, source: index % 2 ? 'memfd' : 'anonymous' }),
  )
  for (const [index, region] of regions.entries()) region.bytes.fill(index)
  t.true(regions.every((region, index) => region.read().every(byte => byte === index)))
  t.is(new Set(regions.map(region => region.address)).size, 200)
  for (const region of regions) region.close()
  t.is(readdirSync('/proc/self/fd').length, before)
  t.true(directory.length > 0)
})

regions('however many there are, the last one has its descriptor, and so has one that somebody was told of', t => {
  const told = Region.map({ size: PAGE_SIZE })
  const { fd } = told
  const all = Array.from({ length: 700 }, (_, index) => {
    const region = Region.map({ size: 65_536 })
    region.view(Int32Array)[0] = index
    return { region, words: new Int32Array(region.sharedBuffer) }
  })
  t.true(all.every(({ words }, index) => words[0] === index))
  t.is(told.fd, fd)
  t.true(fstatSync(fd).size >= PAGE_SIZE)
  t.throws(() => all[0]?.region.fd, { code: 'ERR_TOO_MANY_FILES' })
  for (const { region } of all) region.close()
  told.close()
})

regions('past some hundred regions there are no descriptors, and no stale bytes', (t, { directory }) => {
  const file = fileOf(directory, pattern(PAGE_SIZE))
  const before = readdirSync('/proc/self/fd').length
  const space = Region.reserve(600 * PAGE_SIZE)
  const all = Array.from({ length: 600 }, (_, index) => {
    const address = space.address + BigInt(index * PAGE_SIZE)
    return index % 2 === 0
      ? Region.map({ source: { file }, access: 'r' })
      : Region.map({ size: PAGE_SIZE, sharing: 'private', address, placement: 'replace' })
  })
  t.true(readdirSync('/proc/self/fd').length <= before + 512)
  t.true((all[598] as Region).fd >= 0, 'the last one has its own')
  const region = all[0] as Region
  t.throws(() => region.fd, {
    code: 'ERR_TOO_MANY_FILES',
    message: /close regions, or map a memfd or with placement portable, which keep theirs/,
  })
  region.bytes[0] = 99
  for (const use of [() => region.read(1), () => region.bytes, () => region.pages.protect('none')]) {
    t.throws(use, { code: 'ERR_READ_ONLY' }, 'what others have cannot be shown again')
  }
  t.deepEqual([...(all[2] as Region).read(1)], bytesOfFile(file, 0, 1))
  for (const region of all) region.close()
  space.close()
})
