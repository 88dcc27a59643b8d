import { readFileSync, statSync } from 'node:fs'
import { PAGE_SIZE, type PagecastError, Region } from 'pagecast'
import { bytesOfFile, fileOf, freeAddress, pattern, sparseFile } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

regions('pages of a region, and ranges of them', (t, { directory }) => {
  const file = sparseFile(directory, 51_342_411)
  using region = Region.map({ source: { file } })
  const { pages } = region
  const range = pages.slice(44, 124)
  t.is(range.length, 80)
  t.is(range.byteOffset, 44 * PAGE_SIZE)
  t.is(range.byteLength, 80 * PAGE_SIZE)
  if (PAGE_SIZE === 4096) t.deepEqual([range.byteOffset, range.byteLength], [180_224, 327_680])
  t.is(range.address, region.address + BigInt(range.byteOffset))
  t.is(range.bytes.byteOffset, range.byteOffset)
  t.is(range.bytes.length, range.byteLength)
  const end = pages.slice(-1)
  t.is(end.bytes.length, 51_342_411 % PAGE_SIZE, 'the bytes end where the region does')
  t.is(end.byteLength, PAGE_SIZE)
  end.bytes[end.bytes.length - 1] = 6
  t.deepEqual(bytesOfFile(file, 51_342_410, 1), [6])
})

regions('ranges are sliced as arrays are', t => {
  using region = Region.map({ size: 10 * PAGE_SIZE - 1 })
  const { pages, address } = region
  const numbers = Array.from({ length: 10 }, (_, page) => page)
  const numbersOf = (range: Iterable<bigint>) => Array.from(range, page => Number((page - address) / BigInt(PAGE_SIZE)))
  t.deepEqual(numbersOf(pages), numbers)
  for (const [begin, end] of [[], [3], [3, 5], [-3], [-3, -1], [5, 3], [8, 100], [-100, 2], [10], [undefined, 2], [0, 0]]) {
    t.deepEqual(numbersOf(pages.slice(begin, end)), numbers.slice(begin, end), `${begin} to ${end}`)
    t.deepEqual(numbersOf(pages.slice(2, 9).slice(begin, end)), numbers.slice(2, 9).slice(begin, end), `${begin} to ${end} of a part`)
  }
  for (const index of [0, 4, 9, -1, -10]) t.is(pages.at(index), address + BigInt((numbers.at(index) as number) * PAGE_SIZE))
  for (const index of [10, -11, 1000]) t.is(pages.at(index), undefined)
  t.is(pages.slice(4, 6).at(-1), address + BigInt(5 * PAGE_SIZE))
})

regions('an empty range is nothing to do', t => {
  using region = Region.map({ size: PAGE_SIZE })
  const none = region.pages.slice(1)
  t.deepEqual([none.length, none.byteLength, none.byteOffset], [0, 0, PAGE_SIZE])
  t.deepEqual([...none], [])
  t.deepEqual(none.residency(), [])
  none.protect('none')
  none.unmap()
  none.lock()
  none.unlock()
  none.flush()
  none.advise('remove')
  t.is(none.bytes.length, 0)
  region.bytes[0] = 1
  t.is(region.bytes[0], 1)
})

regions('pages that may only be read keep what is in them', (t, { directory }) => {
  const file = fileOf(directory, pattern(3 * PAGE_SIZE))
  using region = Region.map({ source: { file } })
  const { bytes } = region
  region.pages.slice(1, 2).protect('r')
  bytes[0] = 250
  bytes[2 * PAGE_SIZE] = 251
  t.is(region.bytes[0], 250, 'the others are as before')
  region.seek(PAGE_SIZE)
  t.throws(() => region.write(Uint8Array.of(1)), { code: 'ERR_READ_ONLY' })
  bytes[PAGE_SIZE] = 252
  t.throws(() => region.bytes, { code: 'ERR_READ_ONLY' })
  t.is(region.bytes[PAGE_SIZE], pattern(PAGE_SIZE + 1)[PAGE_SIZE], 'once')
  t.is(readFileSync(file)[PAGE_SIZE], pattern(PAGE_SIZE + 1)[PAGE_SIZE])
  region.pages.protect('rw')
  bytes[PAGE_SIZE] = 253
  t.is(region.bytes[PAGE_SIZE], 253)
  t.is(readFileSync(file)[PAGE_SIZE], 253)
})

regions('protection holds in every mapping of the pages', t => {
  using region = Region.map({ size: 65_536 })
  const shared = new Uint8Array(region.sharedBuffer)
  region.pages.slice(3, 4).protect('r')
  shared[3 * PAGE_SIZE] = 9
  t.throws(() => region.bytes, { code: 'ERR_READ_ONLY' })
  t.is(region.bytes[3 * PAGE_SIZE], 0)
  shared[4 * PAGE_SIZE] = 9
  t.is(region.bytes[4 * PAGE_SIZE], 9)
})

regions('pages of access none are ERR_NO_ACCESS once, and come back', t => {
  using region = Region.map({ size: 2 * PAGE_SIZE })
  region.bytes.set(pattern(2 * PAGE_SIZE))
  const { bytes } = region
  region.pages.slice(1).protect('none')
  t.is(bytes[0], pattern(1)[0])
  t.is(region.tell(), 0)
  void bytes[PAGE_SIZE]
  t.throws(() => region.tell(), { code: 'ERR_NO_ACCESS' })
  region.pages.protect('rw')
  t.deepEqual(region.read(), pattern(2 * PAGE_SIZE))
})

regions('advice is taken, or refused with a code', (t, { directory }) => {
  const file = fileOf(directory, pattern(4 * PAGE_SIZE))
  using region = Region.map({ source: { file } })
  for (const advice of [
    'normal',
    'random',
    'sequential',
    'willneed',
    'dontneed',
    'cold',
    'dontfork',
    'dofork',
    'dontdump',
    'dodump',
  ] as const) {
    region.pages.advise(advice)
    t.deepEqual(region.at(), pattern(4 * PAGE_SIZE), advice)
  }
  for (const advice of ['hugepage', 'nohugepage', 'free', 'pageout'] as const) {
    try {
      region.pages.advise(advice)
    } catch (error) {
      t.regex((error as PagecastError).code, /^ERR_/, advice) // the kernel may have none of it
    }
    t.deepEqual(region.at(), pattern(4 * PAGE_SIZE), advice)
  }
})

regions('what is removed is a hole', (t, { directory }) => {
  const file = fileOf(directory, pattern(4 * PAGE_SIZE))
  using region = Region.map({ source: { file } })
  region.pages.slice(1, 3).advise('remove')
  t.true(region.at(PAGE_SIZE, 3 * PAGE_SIZE).every(byte => byte === 0))
  t.deepEqual(region.at(3 * PAGE_SIZE), pattern(4 * PAGE_SIZE).subarray(3 * PAGE_SIZE))
  t.is(statSync(file).size, 4 * PAGE_SIZE)
  t.deepEqual(bytesOfFile(file, 2 * PAGE_SIZE, 3), [0, 0, 0])
})

regions('residency follows what is touched', (t, { directory }) => {
  const file = sparseFile(directory, 16 * PAGE_SIZE)
  using region = Region.map({ source: { file } })
  t.deepEqual(region.pages.residency(), Array(16).fill(false))
  region.bytes[5 * PAGE_SIZE] = 1
  region.bytes[6 * PAGE_SIZE] = 1
  const touched = region.pages.residency()
  t.true(touched[5] && touched[6])
  t.deepEqual(region.pages.slice(5, 7).residency(), [true, true])
  t.is(touched.length, 16)
})

regions('populate faults all pages in', (t, { directory }) => {
  const file = sparseFile(directory, 16 * PAGE_SIZE)
  using region = Region.map({ source: { file }, populate: true })
  t.deepEqual(region.pages.residency(), Array(16).fill(true))
})

regions('locked pages are counted by the kernel', t => {
  const locked = () => Number(/^VmLck:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  const before = locked()
  const region = Region.map({ size: 4 * PAGE_SIZE, lock: true })
  const all = locked() - before
  t.true(all * 1024 >= 4 * PAGE_SIZE)
  region.pages.unlock()
  t.is(locked(), before)
  region.pages.slice(0, 2).lock()
  t.true((locked() - before) * 1024 >= 2 * PAGE_SIZE)
  t.deepEqual(region.pages.slice(0, 2).residency(), [true, true])
  region.close()
  t.is(locked(), before, 'what is closed is not locked any more')
})

regions('more than may be locked is ERR_LOCK_LIMIT with the limit', async (t, scene) => {
  const file = new URL('./children/region-limits.js', import.meta.url).pathname
  const child = scene.program('sh', ['-c', 'ulimit -l 256 && exec "$0" "$@"', process.execPath, file, scene.directory, 'lock'])
  t.like(await child.says('small'), { byteLength: 4096 })
  for (const what of ['map', 'lock']) {
    const { code, message } = await child.says(what)
    t.is(code, 'ERR_LOCK_LIMIT', `${what}: ${message}`)
    t.regex(String(message), /262,?144/)
  }
  t.like(await child.says('left'), { left: 0 })
  await child.succeeds()
})

regions('pages of access none are not locked, and do not keep others from it', t => {
  const message = /access none/
  for (const sharing of ['shared', 'private'] as const) {
    t.throws(() => Region.map({ size: 65_536, sharing, access: 'none', lock: true }), { code: 'ERR_NO_ACCESS', message })
  }
  using region = Region.map({ size: 65_536, lock: true })
  region.pages.slice(2, 4).protect('none')
  region.pages.slice(6, 7).unmap()
  t.throws(() => region.pages.slice(0, 6).lock(), { code: 'ERR_NO_ACCESS', message: /page 2 is locked, and its access is none/ })
  const shared = new Uint8Array(region.sharedBuffer)
  shared[0] = 5
  t.is(region.at(0, 1)[0], 5)
  region.handle()
  region.resize(2 * 65_536)
  t.is(region.at(0, 1)[0], 5)
})

regions('what was changed is in the file after a flush', (t, { directory }) => {
  const file = fileOf(directory, new Uint8Array(3 * PAGE_SIZE))
  using region = Region.map({ source: { file } })
  region.bytes.fill(3)
  region.flush()
  region.flush({ wait: false })
  region.flush({})
  region.pages.slice(1, 2).flush({ wait: true })
  t.true(readFileSync(file).every(byte => byte === 3))
})

regions('pages that were given up are zeros of one’s own, and ERR_UNMAPPED', (t, { directory }) => {
  const file = fileOf(directory, pattern(4 * PAGE_SIZE))
  using region = Region.map({ source: { file } })
  const { bytes, pages } = region
  const gone = pages.slice(1, 3)
  gone.unmap()
  t.true(bytes.subarray(PAGE_SIZE, 3 * PAGE_SIZE).every(byte => byte === 0))
  t.deepEqual(bytes.subarray(0, PAGE_SIZE), pattern(PAGE_SIZE))
  bytes[PAGE_SIZE] = 1
  t.is(readFileSync(file)[PAGE_SIZE], pattern(PAGE_SIZE + 1)[PAGE_SIZE])
  const unmapped = { code: 'ERR_UNMAPPED' }
  t.throws(() => region.read(), unmapped)
  t.throws(() => region.read(PAGE_SIZE + 1), unmapped)
  t.is(region.tell(), 0)
  t.deepEqual(region.read(PAGE_SIZE), pattern(PAGE_SIZE))
  t.throws(() => region.write(Uint8Array.of(1)), unmapped)
  t.throws(() => pages.protect('r'), unmapped)
  t.throws(() => gone.advise('willneed'), unmapped)
  t.throws(() => gone.lock(), unmapped)
  t.throws(() => gone.flush(), unmapped)
  t.throws(() => gone.residency(), unmapped)
  pages.slice(3).flush()
  region.seek(-1, 'end')
  t.is(region.write(Uint8Array.of(77)), 1)
  t.is(readFileSync(file).at(-1), 77)
})

regions('what was done to pages holds after a resize', t => {
  for (const place of [{}, { address: freeAddress() }]) {
    using region = Region.map({ source: 'temporary', size: 4 * PAGE_SIZE, ...place })
    region.bytes.fill(1)
    region.pages.slice(0, 1).protect('r')
    region.pages.slice(2, 3).protect('none')
    region.pages.slice(3).unmap()
    for (const pages of [6, 5, 4, 8]) {
      region.resize(pages * PAGE_SIZE)
      region.bytes[0] = 2
      t.throws(() => region.tell(), { code: 'ERR_READ_ONLY' }, `${pages} pages`)
      t.is(region.bytes[0], 1)
      t.is(region.bytes[2 * PAGE_SIZE], 0)
      t.throws(() => region.tell(), { code: 'ERR_NO_ACCESS' })
      region.bytes[PAGE_SIZE] = pages
      t.is(region.bytes[3 * PAGE_SIZE], 0, 'given up')
      region.seek(PAGE_SIZE)
      t.deepEqual([...region.read(1)], [pages])
    }
    region.bytes[8 * PAGE_SIZE - 1] = 5
    region.seek(-1, 'end')
    t.deepEqual([...region.read()], [5], 'new pages are as all were at first')
    region.seek(3 * PAGE_SIZE)
    t.throws(() => region.read(1), { code: 'ERR_UNMAPPED' })
  }
})

regions('ranges are of no use once the region is closed or shorter', t => {
  const region = Region.map({ source: 'memfd', size: 8 * PAGE_SIZE })
  const { pages } = region
  const end = pages.slice(-2)
  region.resize(3 * PAGE_SIZE)
  const outside = { code: 'ERR_VALUE_RANGE' }
  for (const use of [() => end.bytes, () => end.protect('r'), () => end.address, () => [...end], () => pages.residency()]) {
    t.throws(use, outside, String(use))
  }
  t.is(region.pages.length, 3)
  region.close()
  const disposed = { code: 'ERR_DISPOSED' }
  const uses: (() => unknown)[] = [
    () => pages.length,
    () => pages.byteOffset,
    () => pages.byteLength,
    () => pages.address,
    () => pages.bytes,
    () => pages.slice(),
    () => pages.at(0),
    () => [...pages],
    () => pages.protect('r'),
    () => pages.advise('normal'),
    () => pages.lock(),
    () => pages.unlock(),
    () => pages.flush(),
    () => pages.residency(),
    () => pages.unmap(),
  ]
  for (const use of uses) t.throws(use, disposed, String(use))
})
