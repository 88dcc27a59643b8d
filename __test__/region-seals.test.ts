import { spawnSync } from 'node:child_process'
import { fstatSync, ftruncateSync, writeSync } from 'node:fs'
import { PAGE_SIZE, Region, type Seal, SharedMemory } from 'pagecast'
import { Child } from './helpers/child.js'
import { holdings } from './helpers/holdings.js'
import { fileOf } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

regions('seals are added, and are the same for everybody', t => {
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  t.deepEqual(region.seals, [])
  region.seal(['grow'])
  region.seal(['shrink', 'future-write'])
  using other = Region.map({ source: { fd: region.fd }, access: 'r' })
  t.deepEqual(other.seals, ['shrink', 'grow', 'future-write'])
  region.seal(['seal'])
  t.throws(() => other.seal(['write']), { code: 'ERR_PERMISSION', message: /seal it against write: it takes no more seals/ })
})

regions('anonymous memory is sealed against shrinking, and a memfd as asked for', t => {
  using anonymous = Region.map({ size: PAGE_SIZE })
  t.deepEqual(anonymous.seals, ['shrink'])
  using memfd = Region.map({ source: { memfd: 'sealed', seals: ['shrink', 'grow', 'future-write'] }, size: 100 })
  t.deepEqual(memfd.seals, ['shrink', 'grow', 'future-write'])
  memfd.bytes[99] = 7
  t.deepEqual([...memfd.read().slice(98)], [0, 7])
})

regions('what is sealed is neither shorter nor longer ever after', t => {
  using region = Region.map({ source: { memfd: 'sealed', seals: ['shrink', 'grow'] }, size: 2 * PAGE_SIZE })
  for (const size of [PAGE_SIZE, 3 * PAGE_SIZE]) t.throws(() => ftruncateSync(region.fd, size), { code: 'EPERM' })
  t.throws(() => region.resize(3 * PAGE_SIZE), { code: 'ERR_PERMISSION' })
  region.bytes[2 * PAGE_SIZE - 1] = 1
  t.is(region.byteLength, 2 * PAGE_SIZE)
})

regions('who published goes on writing, and who receives can only read', t => {
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  region.seal(['future-write'])
  region.bytes[0] = 1
  using reader = Region.map({ source: { fd: region.fd }, access: 'r' })
  t.is(reader.bytes[0], 1)
  region.bytes[0] = 2
  t.is(reader.bytes[0], 2)
  t.throws(() => Region.map({ source: { fd: region.fd } }), { code: 'ERR_PERMISSION', message: /access rw .*seal/ })
  t.throws(() => reader.pages.protect('rw'), { code: 'ERR_PERMISSION' })
  t.throws(() => writeSync(region.fd, Uint8Array.of(9), 0, 1, 0), { code: 'EPERM' })
  t.is(region.bytes[0], 2)
  using copy = Region.map({ source: { fd: region.fd }, sharing: 'private' })
  copy.bytes[0] = 3
  t.is(reader.bytes[0], 2)
})

regions('a second view to be written is to be had before that', t => {
  using early = Region.map({ size: 65_536 })
  const shared = new Uint8Array(early.sharedBuffer)
  early.seal(['future-write'])
  shared[0] = 4
  t.is(early.bytes[0], 4)
  using late = Region.map({ size: 65_536 })
  late.seal(['future-write'])
  t.throws(() => late.sharedBuffer, { code: 'ERR_PERMISSION' })
  for (const size of [PAGE_SIZE, 3 * 65_536]) {
    t.throws(() => late.resize(size), { code: 'ERR_PERMISSION' })
    t.deepEqual([late.byteLength, late.bytes.length, fstatSync(late.fd).size], [65_536, 65_536, 65_536])
  }
  late.bytes[0] = 5
  t.is(late.read(1)[0], 5)
})

regions('what is mapped to be written is not sealed against it', t => {
  const region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  region.bytes[0] = 6
  const before = holdings('none')
  t.throws(() => region.seal(['write']), { code: 'ERR_BUSY', message: /mapped to be written; future-write/ })
  t.deepEqual(region.seals, [])
  t.throws(() => Region.map({ source: { memfd: 'never', seals: ['write'] }, size: PAGE_SIZE }), { code: 'ERR_BUSY' })
  t.deepEqual(holdings('none'), before)
  using copy = Region.map({ source: { fd: region.fd }, sharing: 'private' })
  region.close()
  copy.seal(['write'])
  t.deepEqual([copy.seals, copy.bytes[0]], [['write'], 6])
})

regions('what is no memfd has no seals', (t, { directory }) => {
  using memory = SharedMemory.open('object', 'x', { size: PAGE_SIZE, directory })
  using shared = memory.map()
  t.throws(() => shared.seal(['shrink']), { code: 'ERR_PERMISSION' })
  memory.unlink()
  using zeros = Region.map({ source: { file: '/dev/zero' }, size: PAGE_SIZE })
  t.deepEqual(zeros.seals, [])
  t.throws(() => zeros.seal(['shrink']), { code: 'ERR_INVALID_ARGUMENT', message: /no memfd/ })
})

regions('what is no seal is refused before anything is sealed', (t, { directory }) => {
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  const holed: Seal[] = []
  holed[1] = 'shrink'
  for (const seals of ['shrink', ['shrink', 'shrunk'], holed, [1], {}, undefined, null] as unknown as Seal[][]) {
    t.throws(() => region.seal(seals), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.throws(() => Region.map({ source: { memfd: 'x', seals: ['all'] as never }, size: 1 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => Region.map({ source: { memfd: 'x', seals: holed }, size: 1 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => Region.map({ source: { file: fileOf(directory, 'x'), seals: [] } as never }), { code: 'ERR_INVALID_ARGUMENT' })
  t.deepEqual(region.seals, [])
  region.seal([])
  region.close()
  t.throws(() => region.seals, { code: 'ERR_DISPOSED' })
  t.throws(() => region.seal(['shrink']), { code: 'ERR_DISPOSED' })
})

regions('a child has what its stdio says, and cannot cut it short', async t => {
  using region = Region.map({ source: { memfd: 'inherited', seals: ['shrink', 'grow'] }, size: PAGE_SIZE })
  region.bytes.fill(0x0f)
  const child = Child.node('region-heir', [], { descriptors: [region.fd] })
  await child.succeeds()
  t.deepEqual([...region.at(998, 1002)], [0xf0, 0xf0, 0x0f, 0x0f])
  const program = 'truncate --size=0 /proc/self/fd/3 || echo refused >&2'
  const { stderr } = spawnSync('sh', ['-c', program], { stdio: ['ignore', 'ignore', 'pipe', region.fd], encoding: 'utf8' })
  t.regex(stderr, /refused/)
  t.is(region.bytes[0], 0xf0)
})
