import { Mutex, PAGE_SIZE, Region } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { freeAddress, pattern } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { mappings, segment } from './helpers/sysv.js'

regions('a SysV segment is a region with bytes and pages', t => {
  const memory = segment(t, 4 * 65_536 - 100)
  const { id } = memory
  const region = memory.attach({ privateTail: true })
  using other = Region.map({ source: { sysv: id } })
  t.deepEqual([region.byteLength, region.pages.length, region.access, region.sharing], [4 * 65_536 - 100, 64, 'rw', 'shared'])
  t.deepEqual([memory.stat().attaches, mappings(id)], [2, 2])
  region.bytes.set(pattern(region.byteLength))
  t.deepEqual(other.read(), pattern(other.byteLength))
  const words = new Int32Array(region.sharedBuffer)
  Atomics.store(words, 5000, 77)
  t.deepEqual([Atomics.load(other.view(Int32Array, 0, 5001), 5000), memory.stat().attaches], [77, 3])

  const page = region.pages.slice(3, 4)
  page.protect('r')
  page.bytes[0] = 250
  t.throws(() => region.tell(), { code: 'ERR_READ_ONLY' })
  t.is(other.bytes[3 * PAGE_SIZE], pattern(3 * PAGE_SIZE + 1)[3 * PAGE_SIZE], 'nobody else saw it')
  t.is(page.bytes[0], other.bytes[3 * PAGE_SIZE], 'and the page is mapped again')
  other.bytes[3 * PAGE_SIZE] = 11
  t.is(page.bytes[0], 11)
  page.protect('none')
  void region.bytes[3 * PAGE_SIZE]
  t.throws(() => region.tell(), { code: 'ERR_NO_ACCESS' })
  page.protect('rw')
  page.bytes[0] = 12
  t.is(other.bytes[3 * PAGE_SIZE], 12, 'what was mapped again can be written again')

  region.pages.slice(0, 8).lock()
  region.pages.slice(0, 8).unlock()
  region.pages.advise('willneed')
  region.pages.slice(5, 6).advise('remove')
  t.is(other.bytes[5 * PAGE_SIZE], 0)
  region.flush()
  t.is(region.pages.slice(5, 7).residency()[1], true)
  region.pages.slice(6, 8).unmap()
  t.is(region.bytes[6 * PAGE_SIZE], 0)
  t.throws(() => region.pages.slice(6, 7).lock(), { code: 'ERR_UNMAPPED' })
  t.is(other.bytes[6 * PAGE_SIZE], pattern(6 * PAGE_SIZE + 1)[6 * PAGE_SIZE])

  for (const use of [() => region.resize(PAGE_SIZE), () => region.fd, () => Mutex.at(region, 64)]) {
    const message = new RegExp(`region of SysV segment ${memory.id}: a SysV segment `)
    t.throws(use, { code: 'ERR_UNSUPPORTED', message }, String(use))
  }
  t.is(region.byteLength, 4 * 65_536 - 100)
  const { bytes } = region
  region.close()
  t.is(bytes.length, 0)
  t.true(
    words.every(word => word === 0),
    'views of what others may share show zeros',
  )
  t.deepEqual([memory.stat().attaches, mappings(id)], [1, 1])
})

regions('what was attached to be read is not written, and is not lost', t => {
  const memory = segment(t, 2 * PAGE_SIZE, { mode: 0o700 })
  using writer = memory.attach()
  using reader = memory.attach({ access: 'r' })
  writer.bytes.set(pattern(2 * PAGE_SIZE))
  const { bytes } = reader
  for (const at of [0, PAGE_SIZE]) {
    bytes[at] = 250
    t.throws(() => reader.tell(), { code: 'ERR_READ_ONLY' })
    t.is(bytes[at], writer.bytes[at])
  }
  t.throws(() => reader.write(Uint8Array.of(1)), { code: 'ERR_READ_ONLY' })
  t.throws(() => reader.pages.protect('rw'), { code: 'ERR_PERMISSION' })
  writer.bytes[0] = 9
  t.is(bytes[0], 9)
  using none = memory.attach({ access: 'none' })
  t.throws(() => none.read(), { code: 'ERR_NO_ACCESS' })
  using executable = memory.attach({ access: 'rwx' })
  t.is(executable.bytes[0], 9)
})

regions('a SysV segment is attached at an address', t => {
  const memory = segment(t, 3 * PAGE_SIZE)
  using whole = memory.attach()
  whole.bytes[PAGE_SIZE] = 5
  const address = freeAddress()
  using space = Region.reserve(16 * PAGE_SIZE, { address })
  const at = (options: object) => memory.attach({ placement: 'replace', ...options })
  {
    using region = at({ address })
    t.deepEqual([region.address, region.bytes[PAGE_SIZE], memory.stat().attaches], [address, 5, 3])
    t.throws(() => at({ address: address + BigInt(2 * PAGE_SIZE) }), { code: 'ERR_ADDRESS_IN_USE' })
    t.throws(() => memory.attach({ address }), { code: 'ERR_ADDRESS_IN_USE' })
    t.throws(() => memory.attach({ address: 0xffff_8000_0000_0000n }), { code: 'ERR_ADDRESS_SPACE', message: /past the last address/ })
    using hinted = memory.attach({ address, placement: 'hint' })
    t.not(hinted.address, address)
    region.absoluteAt(region.addressOf(PAGE_SIZE))[0] = 6
    t.is(whole.bytes[PAGE_SIZE], 6)
  }
  t.is(memory.stat().attaches, 1)
  using rounded = at({ address: address + 4097n, round: true })
  t.is(rounded.address, address + BigInt(PAGE_SIZE))
  for (const place of [whole.address, address + BigInt(15 * PAGE_SIZE)]) {
    t.throws(() => at({ address: place }), { code: 'ERR_ADDRESS_IN_USE' }, 'what is not one’s own is not replaced')
  }
  for (const far of [2n ** 47n, 2n ** 64n - BigInt(PAGE_SIZE)]) {
    t.throws(() => memory.attach({ address: far }), { code: 'ERR_ADDRESS_SPACE' })
    t.throws(() => memory.attach({ address: far, size: 1 }), { code: 'ERR_ADDRESS_SPACE' })
  }
  t.is(whole.bytes[PAGE_SIZE], 6)
  rounded.close()
  space.close()
  using free = memory.attach({ address })
  t.is(free.address, address)
})

regions('a part of a SysV segment is attached', t => {
  const memory = segment(t, 10 * PAGE_SIZE)
  using whole = memory.attach()
  whole.bytes.set(pattern(10 * PAGE_SIZE))
  using part = memory.attach({ offset: 3 * PAGE_SIZE, size: 2 * PAGE_SIZE - 5 })
  t.deepEqual([part.byteOffset, part.byteLength, memory.stat().attaches], [3 * PAGE_SIZE, 2 * PAGE_SIZE - 5, 2])
  t.deepEqual(part.read(), pattern(10 * PAGE_SIZE).slice(3 * PAGE_SIZE, 5 * PAGE_SIZE - 5))
  part.bytes[7] = 0
  t.is(whole.bytes[3 * PAGE_SIZE + 7], 0)
  part.pages.slice(1).protect('r')
  part.bytes[PAGE_SIZE] = 0
  t.throws(() => part.tell(), { code: 'ERR_READ_ONLY' })
  t.is(part.bytes[PAGE_SIZE], whole.bytes[4 * PAGE_SIZE])
  part.close()
  t.is(memory.stat().attaches, 1)
})

regions('a part is attached of what is too large for one mapping', t => {
  const memory = segment(t, 2 ** 36, { reserve: false })
  using part = memory.attach({ offset: 2 ** 35, size: PAGE_SIZE })
  using same = memory.attach({ offset: 2 ** 35 - 65_536, size: 131_072 })
  part.bytes[9] = 9
  t.deepEqual([same.bytes[65_545], memory.byteLength, memory.stat().attaches], [9, 2 ** 36, 2])
})

regions('attachments hold no descriptors', (t, { directory }) => {
  const memory = segment(t, 65_536)
  memory.attach().close() // the first one asks what a segment's mapping looks like
  const before = holdings(directory)
  const attached = Array.from({ length: 20 }, () => memory.attach())
  t.deepEqual(holdings(directory), before)
  t.is(memory.stat().attaches, 20)
  for (const region of attached) region.close()
  t.is(memory.stat().attaches, 0)
})
