import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PAGE_SIZE, Region } from 'pagecast'
import { fileOf, freeAddress, pattern } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

const page = BigInt(PAGE_SIZE)
const taken = { code: 'ERR_ADDRESS_IN_USE' }

regions('at an address where nothing is', (t, { directory }) => {
  const address = freeAddress()
  const file = fileOf(directory, pattern(3 * PAGE_SIZE))
  using region = Region.map({ source: { file }, address })
  t.is(region.address, address)
  t.is(region.addressOf(10), address + 10n)
  t.is(region.pages.at(1), address + page)
  t.deepEqual(region.bytes, pattern(3 * PAGE_SIZE))
  region.bytes[5] = 200
  t.is(readFileSync(file)[5], 200)
  t.is(region.absoluteAt(address + 5n)[0], 200)
  const [line] = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter(map => map.startsWith(address.toString(16).padStart(8, '0')))
  t.regex(line ?? '', /rw-s.*file$/)
})

regions('an address that is taken is left alone', (t, { directory }) => {
  using first = Region.map({ size: 2 * PAGE_SIZE, address: freeAddress() })
  first.bytes.fill(7)
  for (const address of [first.address, first.address + page, first.address - page]) {
    t.throws(() => Region.map({ size: 2 * PAGE_SIZE, address }), taken)
    t.throws(() => Region.map({ size: 2 * PAGE_SIZE, address, placement: 'exclusive' }), taken)
    t.throws(() => Region.map({ size: 2 * PAGE_SIZE, address, placement: 'replace' }), taken)
    t.throws(() => Region.reserve(2 * PAGE_SIZE, { address }), taken)
  }
  using other = Region.map({ size: PAGE_SIZE })
  t.throws(() => Region.map({ size: PAGE_SIZE, address: other.address }), taken)
  t.throws(() => Region.map({ size: PAGE_SIZE, address: other.address, placement: 'replace' }), taken)
  const file = join(directory, 'unmade')
  t.throws(() => Region.map({ source: { file, create: true }, size: PAGE_SIZE, address: first.address }), taken)
  t.true(first.bytes.every(byte => byte === 7))
})

regions('an address that no process can have says so', t => {
  for (const address of [0xffff_8000_0000_0000n, 2n ** 64n - page]) {
    const maps = [
      () => Region.map({ size: PAGE_SIZE, address }),
      () => Region.map({ source: 'temporary', size: PAGE_SIZE, address }),
      () => Region.reserve(PAGE_SIZE, { address }),
    ]
    for (const map of maps) t.throws(map, { code: 'ERR_ADDRESS_SPACE', message: /past the last address that a process can have/ })
    Region.map({ size: PAGE_SIZE, address, placement: 'hint' }).close()
  }
})

regions('an address that is a hint', t => {
  const address = freeAddress()
  using first = Region.map({ size: 2 * PAGE_SIZE, address, placement: 'hint' })
  t.is(first.address, address)
  using second = Region.map({ size: 2 * PAGE_SIZE, address, placement: 'hint' })
  t.not(second.address, address)
  first.bytes[0] = 1
  second.bytes[0] = 2
  t.deepEqual([first.bytes[0], second.bytes[0]], [1, 2])
})

regions('a reservation is where regions are mapped into', t => {
  using space = Region.reserve(10 * PAGE_SIZE - 1)
  t.is(space.byteLength, 10 * PAGE_SIZE)
  t.false(space.closed)
  const at = (index: number) => space.address + BigInt(index) * page
  const put = (index: number, pages = 1) => Region.map({ size: pages * PAGE_SIZE, address: at(index), placement: 'replace' })
  t.throws(() => Region.map({ size: PAGE_SIZE, address: at(3) }), taken)
  using first = put(2, 3)
  using second = put(5)
  first.bytes.fill(1)
  second.bytes.fill(2)
  t.deepEqual([first.address, second.address], [at(2), at(5)])
  for (const [index, pages] of [
    [2, 1],
    [4, 1],
    [0, 3],
    [1, 9],
    [5, 1],
    [9, 2],
    [10, 1],
    [-1, 1],
  ] as const) {
    t.throws(() => put(index, pages), taken, `${pages} pages at ${index}`)
  }
  second.close()
  using third = put(5, 5)
  t.is(third.address, at(5))
  t.true(third.bytes.every(byte => byte === 0))
  t.true(first.bytes.every(byte => byte === 1))
})

regions('a reservation at an address', t => {
  const address = freeAddress()
  const space = Region.reserve(3 * PAGE_SIZE, { address })
  t.is(space.address, address)
  t.throws(() => Region.reserve(PAGE_SIZE, { address: address + page }), taken)
  space[Symbol.dispose]()
  space.close()
  t.true(space.closed)
  t.throws(() => space.address, { code: 'ERR_DISPOSED' })
  t.throws(() => space.byteLength, { code: 'ERR_DISPOSED' })
  using again = Region.reserve(3 * PAGE_SIZE, { address })
  t.is(again.address, address)
})

regions('a reservation stays until the regions in it are closed', t => {
  const address = freeAddress()
  const space = Region.reserve(4 * PAGE_SIZE, { address })
  const region = Region.map({ size: PAGE_SIZE, address: address + page, placement: 'replace' })
  region.bytes[0] = 9
  space.close()
  t.is(region.bytes[0], 9)
  t.throws(() => Region.reserve(PAGE_SIZE, { address: address + 3n * page }), taken)
  region.close()
  using again = Region.reserve(4 * PAGE_SIZE, { address })
  t.is(again.address, address)
})

regions('much address space costs no memory', t => {
  using space = Region.reserve(2 ** 40)
  t.is(space.byteLength, 2 ** 40)
  using region = Region.map({ size: PAGE_SIZE, address: space.address + 2n ** 39n, placement: 'replace' })
  region.bytes[0] = 1
  t.is(region.bytes[0], 1)
})

regions('a private one at an address has no views, and is read and written', (t, { directory }) => {
  const file = fileOf(directory, pattern(PAGE_SIZE))
  const address = freeAddress()
  using region = Region.map({ source: { file }, sharing: 'private', address })
  t.is(region.address, address)
  const hidden = { code: 'ERR_PRIVATE', message: /read\(\) and write\(\)/ }
  t.throws(() => region.bytes, hidden)
  t.throws(() => region.at(), hidden)
  t.throws(() => region.view(Uint8Array), hidden)
  t.throws(() => region.absoluteAt(address), hidden)
  t.throws(() => region.pages.bytes, hidden)
  t.throws(() => region.sharedBuffer, { code: 'ERR_PRIVATE' })
  t.deepEqual(region.read(), pattern(PAGE_SIZE))
  region.seek(3)
  region.write(Uint8Array.of(250))
  region.seek(2)
  t.deepEqual([...region.read(2)], [pattern(3)[2], 250])
  t.is(readFileSync(file)[3], pattern(4)[3], 'a copy of its own')
  t.is(region.pages.address, address)
  t.throws(() => region.resize(10), { code: 'ERR_PRIVATE' })
})

regions('one that stands in the way of its own growth', t => {
  using space = Region.reserve(4 * PAGE_SIZE)
  using first = Region.map({ size: PAGE_SIZE, address: space.address, placement: 'replace' })
  first.bytes[0] = 4
  const { bytes } = first
  t.throws(() => first.resize(2 * PAGE_SIZE), taken)
  t.is(first.bytes, bytes)
  t.is(bytes[0], 4)
  t.is(first.byteLength, PAGE_SIZE)
})
