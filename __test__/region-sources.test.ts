import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, fstatSync, openSync, readFileSync, readlinkSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PAGE_SIZE, type PagecastError, Region, type RegionSource, roundToPageSize, SharedMemory } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { comesPageByPage } from './helpers/huge-pages.js'
import { bytesOfFile, fileOf, pathOf, pattern, sparseFile } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { Tmpfs } from './helpers/tmpfs.js'

regions('what is made afresh is zeros of the size asked for', (t, { directory }) => {
  const sources: RegionSource[] = ['anonymous', 'memfd', 'temporary', { memfd: 'label' }, { temporary: directory }]
  for (const source of sources) {
    for (const size of [1, 100, PAGE_SIZE, 5 * PAGE_SIZE + 1, 65_536, 100_000]) {
      using region = Region.map({ source, size })
      t.is(region.byteLength, size)
      t.is(region.bytes.length, size)
      t.is(region.access, 'rw')
      t.is(region.sharing, 'shared')
      t.is(region.byteOffset, 0)
      t.is(region.pages.length, Math.ceil(size / PAGE_SIZE))
      t.true(region.bytes.every(byte => byte === 0))
      region.bytes.fill(7)
      t.true(region.read().every(byte => byte === 7))
    }
  }
})

regions('a directory that is not there is named', (t, { directory }) => {
  const temporary = join(directory, 'missing')
  const error = t.throws(() => Region.map({ source: { temporary }, size: PAGE_SIZE }), { code: 'ERR_NOT_FOUND' })
  t.true(error.message.startsWith(`map a temporary file in ${temporary}: `), error.message)
})

regions('a file that cannot become longer is not short of room', t => {
  const message = 'map /proc/self/maps: room for 4,096 bytes: Illegal seek (ESPIPE)'
  t.throws(() => Region.map({ source: { file: '/proc/self/maps' }, size: PAGE_SIZE, access: 'r' }), { code: 'ERR_SYSTEM', message })
})

regions('default source and options are anonymous, shared, rw', t => {
  using region = Region.map({ size: 10 })
  region.bytes[9] = 5
  t.deepEqual([...region.read()], [0, 0, 0, 0, 0, 0, 0, 0, 0, 5])
  t.regex(readlinkSync(`/proc/self/fd/${region.fd}`), /^\/memfd:/)
})

regions('labels and places show in /proc', (t, { directory }) => {
  using memfd = Region.map({ source: { memfd: 'pagecast label' }, size: PAGE_SIZE })
  t.is(readlinkSync(`/proc/self/fd/${memfd.fd}`), '/memfd:pagecast label (deleted)')
  using here = Region.map({ source: { temporary: directory }, size: PAGE_SIZE })
  t.true(readlinkSync(`/proc/self/fd/${here.fd}`).startsWith(`${directory}/`))
  using there = Region.map({ source: 'temporary', size: PAGE_SIZE })
  t.true(readlinkSync(`/proc/self/fd/${there.fd}`).startsWith(`${tmpdir()}/`))
  t.is(fstatSync(there.fd).nlink, 0)
  t.is(fstatSync(there.fd).size, PAGE_SIZE)
})

regions('a file whose size is no multiple of anything', (t, { directory }) => {
  const size = 51_342_411
  const file = sparseFile(directory, size)
  using region = Region.map({ source: { file } })
  t.is(region.byteLength, size)
  t.is(region.bytes.length, size)
  const { pages } = region
  t.is(pages.length, Math.ceil(size / PAGE_SIZE))
  if (PAGE_SIZE === 4096) t.is(pages.length, 12_535)
  t.is(pages.byteLength, roundToPageSize(size))
  region.bytes[size - 1] = 77
  t.deepEqual(bytesOfFile(file, size - 2, 10), [0, 77])
  t.is(statSync(file).size, size)
})

regions('a file and a part of it', (t, { directory }) => {
  const content = pattern(3 * PAGE_SIZE + 10)
  const file = fileOf(directory, content)
  using whole = Region.map({ source: { file } })
  using end = Region.map({ source: { file }, offset: 2 * PAGE_SIZE })
  using middle = Region.map({ source: { file }, offset: PAGE_SIZE, size: 100 })
  t.deepEqual(whole.read(), content)
  t.deepEqual(end.read(), content.slice(2 * PAGE_SIZE))
  t.deepEqual(middle.read(), content.slice(PAGE_SIZE, PAGE_SIZE + 100))
  t.deepEqual([whole.byteOffset, end.byteOffset, middle.byteOffset], [0, 2 * PAGE_SIZE, PAGE_SIZE])
  end.bytes[9] = 0
  middle.bytes[0] = 0
  t.is(whole.bytes[3 * PAGE_SIZE - PAGE_SIZE + 9], 0)
  t.is(whole.bytes[PAGE_SIZE], 0)
  t.is(readFileSync(file)[PAGE_SIZE], 0)
})

regions('a file is made where that is asked for, with exactly these permissions', (t, { directory }) => {
  const mask = process.umask(0o777)
  try {
    for (const [name, mode, expected] of [
      ['default', undefined, 0o600],
      ['given', 0o666, 0o666],
      ['mine', 0o640, 0o640],
    ] as const) {
      const file = pathOf(directory, name)
      const source = mode === undefined ? { file, create: true } : { file, create: true, mode }
      using region = Region.map({ source, size: 5000 })
      region.bytes[4999] = 1
      const { mode: bits, size } = statSync(file)
      t.deepEqual([bits & 0o777, size], [expected, 5000])
      chmodSync(file, 0o640)
      using again = Region.map({ source })
      t.is(again.bytes[4999], 1)
      t.is(statSync(file).mode & 0o777, 0o640, 'what is there stays as it is')
    }
  } finally {
    process.umask(mask)
  }
})

regions('an empty file is made as long as asked, one that has something is not', (t, { directory }) => {
  for (const access of ['rw', 'r'] as const) {
    const file = fileOf(directory, '', access)
    using region = Region.map({ source: { file }, size: 3 * PAGE_SIZE, offset: PAGE_SIZE, access })
    t.is(statSync(file).size, 4 * PAGE_SIZE)
    t.is(region.byteLength, 3 * PAGE_SIZE)
  }
  const short = fileOf(directory, 'some', 'short')
  t.throws(() => Region.map({ source: { file: short }, size: 5 }), { code: 'ERR_INVALID_SIZE', message: /\b5\b.*\b4\b|\b4\b.*\b5\b/ })
  t.is(readFileSync(short, 'utf8'), 'some')
})

regions('an empty file behind a descriptor that is to read only is made as long, too', (t, { directory }) => {
  const file = fileOf(directory, '')
  const fd = openSync(file, 'r')
  using region = Region.map({ source: { fd }, size: PAGE_SIZE, access: 'r' })
  closeSync(fd)
  t.is(statSync(file).size, PAGE_SIZE)
  t.is(region.byteLength, PAGE_SIZE)
})

regions('room is taken only for a region that writes to the object, but for the last page of what is made', (t, { directory }) => {
  const size = 2 ** 20
  const page = PAGE_SIZE / 512
  for (const options of [{ sharing: 'private' }, { access: 'r' }, { sharing: 'private', access: 'r' }] as const) {
    const file = sparseFile(directory, size)
    using region = Region.map({ source: { file }, reserve: true, ...options })
    t.is(region.byteLength, size)
    t.is(statSync(file).blocks, 0, JSON.stringify(options))
  }
  using device = Region.map({ source: { file: '/dev/zero' }, size, reserve: true })
  t.is(device.byteLength, size)
  using written = Region.map({ source: { file: sparseFile(directory, size) }, reserve: true })
  t.is(fstatSync(written.fd).blocks, size / 512)
  for (const source of ['memfd', 'anonymous', { temporary: directory }] as const) {
    if (typeof source === 'string' && !comesPageByPage()) continue
    using sparse = Region.map({ source, size, reserve: false })
    t.is(fstatSync(sparse.fd).blocks, page)
    using reserved = Region.map({ source, size, reserve: true })
    t.is(fstatSync(reserved.fd).blocks, size / 512)
  }
})

regions('a device needs a size', t => {
  t.throws(() => Region.map({ source: { file: '/dev/zero' } }), { code: 'ERR_INVALID_SIZE' })
  for (const sharing of ['shared', 'private'] as const) {
    using region = Region.map({ source: { file: '/dev/zero' }, size: 70_000, sharing })
    t.is(region.byteLength, 70_000)
    t.true(region.bytes.every(byte => byte === 0))
    region.bytes[69_999] = 3
    region.seek(-1, 'end')
    t.deepEqual([...region.read()], [3])
  }
})

regions('what cannot be mapped says why', (t, { directory }) => {
  const before = holdings(directory)
  for (const file of [directory, '/dev/null', '/proc/self/status']) {
    const error = t.throws(() => Region.map({ source: { file }, size: PAGE_SIZE })) as PagecastError
    t.regex(error.code, /^ERR_/, error.message)
    t.true(error.message.includes(file), error.message)
  }
  t.throws(() => Region.map({ source: { file: join(directory, 'none', 'none') }, size: 1 }), { code: 'ERR_NOT_FOUND' })
  const fd = openSync('/dev/zero', 'r')
  closeSync(fd)
  t.regex((t.throws(() => Region.map({ source: { fd }, size: PAGE_SIZE })) as PagecastError).code, /^ERR_/)
  t.deepEqual(holdings(directory), before)
})

regions('a descriptor stays the caller’s', (t, { directory }) => {
  const file = fileOf(directory, pattern(100))
  const fd = openSync(file, 'r+')
  const region = Region.map({ source: { fd } })
  t.not(region.fd, fd)
  t.is(fstatSync(region.fd).ino, fstatSync(fd).ino)
  region.close()
  t.is(fstatSync(fd).size, 100)
  const again = Region.map({ source: { fd } })
  closeSync(fd)
  t.deepEqual(again.read(), pattern(100))
  again.close()
})

regions('an object of shared memory, by its name and by itself', (t, { directory }) => {
  using memory = SharedMemory.open('object', 'x', { directory, size: 2 * PAGE_SIZE })
  pathOf(directory, 'object')
  using named = Region.map({ source: { shm: 'object', directory } })
  using given = Region.map({ source: memory })
  using mapped = memory.map({ offset: PAGE_SIZE })
  memory.close()
  memory.close()
  named.bytes[PAGE_SIZE] = 8
  t.is(given.bytes[PAGE_SIZE], 8)
  t.is(mapped.bytes[0], 8)
  t.is(mapped.byteLength, PAGE_SIZE)
  t.throws(() => Region.map({ source: memory }), { code: 'ERR_DISPOSED' })
  t.is(statSync(join(directory, 'object')).size, 2 * PAGE_SIZE)
})

regions('a descriptor is handed to another process', t => {
  for (const source of ['memfd', 'anonymous', 'temporary'] as const) {
    using region = Region.map({ source, size: 65_536 })
    region.bytes.set(pattern(1000))
    const heir = fileURLToPath(new URL('./children/region-heir.js', import.meta.url))
    const { status, stderr } = spawnSync(process.execPath, [heir], { stdio: ['ignore', 'inherit', 'pipe', region.fd] })
    t.is(status, 0, String(stderr))
    t.deepEqual(
      region.read(1000),
      pattern(1000).map(byte => byte ^ 0xff),
      source,
    )
  }
})

regions('a memfd that is anonymous cannot be made smaller by anybody', t => {
  using region = Region.map({ size: 65_536 })
  t.throws(() => truncateSync(`/proc/self/fd/${region.fd}`, 100), { code: 'EPERM' })
  region.bytes[65_535] = 1
  t.is(region.bytes[65_535], 1)
})

regions('three gigabytes of a sparse file stay sparse', (t, { directory }) => {
  const size = 3 * 2 ** 30
  const file = sparseFile(directory, size)
  using region = Region.map({ source: { file } })
  t.is(region.byteLength, size)
  for (const offset of [0, 2 ** 31 - 1, 2 ** 31, size - 1]) {
    region.bytes[offset] = 9
    t.deepEqual(bytesOfFile(file, offset, 1), [9])
  }
  region.seek(-2, 'end')
  t.deepEqual([...region.read()], [0, 9])
  t.is(region.pages.at(-1), region.address + BigInt(size - PAGE_SIZE))
  region.close()
  t.true(statSync(file).blocks * 512 <= 2 ** 20, `${statSync(file).blocks} blocks`)
})

const isOfOldEngine = process.versions.node.startsWith('20.') || 'bun' in process.versions

regions('six gigabytes where the engine has so much', (t, { directory }) => {
  const size = 6 * 2 ** 30
  const file = sparseFile(directory, size)
  if (isOfOldEngine) {
    const before = holdings(directory)
    t.throws(() => Region.map({ source: { file } }), { code: 'ERR_ADDRESS_SPACE', message: /6,442,450,944 bytes.*offset and size/ })
    for (const source of ['anonymous', { memfd: 'fresh' }] as const) {
      t.throws(() => Region.map({ source, size }), {
        code: 'ERR_ADDRESS_SPACE',
        message: /fresh memory has none, so make it a file or a SharedMemory/,
      })
    }
    t.throws(() => Region.map({ source: { file }, size }), { code: 'ERR_ADDRESS_SPACE' })
    t.deepEqual(holdings(directory), before)
    using part = Region.map({ source: { file }, offset: 5 * 2 ** 30 })
    part.bytes[2 ** 30 - 1] = 4
  } else {
    const region = Region.map({ source: { file } })
    const { bytes } = region
    t.is(bytes.length, size)
    for (const offset of [0, 2 ** 32, size - 1]) {
      bytes[offset] = 4
      t.deepEqual(bytesOfFile(file, offset, 1), [4])
    }
    const shared = new Uint8Array(region.sharedBuffer)
    t.is(shared.length, size)
    t.is(shared[2 ** 32], 4)
    region.seek(-1, 'end')
    t.deepEqual([...region.read()], [4])
    t.is(region.addressOf(2 ** 32), region.address + 2n ** 32n)
    region.close()
    t.true(bytes.length === 0 || bytes[size - 1] === 0, 'nothing is seen of what was unmapped')
    t.is(shared[2 ** 32], 0)
  }
  t.deepEqual(bytesOfFile(file, size - 1, 1), [4])
  t.true(statSync(file).blocks * 512 <= 2 ** 20)
})

regions('without WebAssembly there are no views, and nothing is made', async (t, scene) => {
  fileOf(scene.directory, pattern(10))
  const child = scene.child('region-limits', ['engine'], { nodeArguments: ['--jitless'] })
  for (const what of ['map', 'existing']) t.like(await child.says(what), { code: 'ERR_ENGINE_PAGES_UNAVAILABLE' })
  t.like(await child.says('written'), { bytes: [1, 2, 0] })
  await child.succeeds()
  t.deepEqual(scene.names(), ['file'])
})

regions('without address space nothing is made, and what there is goes on', async (t, scene) => {
  sparseFile(scene.directory, 2 ** 30)
  const file = fileURLToPath(new URL('./children/region-limits.js', import.meta.url))
  const limited = ['-c', 'ulimit -v 16000000 && exec "$0" "$@"', process.execPath, file, scene.directory, 'address-space']
  const child = scene.program('sh', limited)
  for (const what of ['map', 'existing', 'shared', 'resize']) {
    const { code, message } = await child.says(what)
    t.is(code, 'ERR_ADDRESS_SPACE', what)
    t.regex(String(message), /16,384,000,000 bytes \(ulimit -v\)/)
  }
  const { before, after, byte, byteLength } = await child.says('left')
  t.deepEqual(after, before)
  t.deepEqual([byte, byteLength], [9, 2 ** 30])
  await child.succeeds()
  t.deepEqual(scene.names(), ['sparse'])
})

regions('room is taken where that is asked for', (t, { directory }) => {
  const reserved = pathOf(directory, 'reserved')
  const sparse = pathOf(directory, 'sparse')
  using _ = Region.map({ source: { file: reserved, create: true }, size: 2 ** 20, reserve: true })
  using __ = Region.map({ source: { file: sparse, create: true }, size: 2 ** 20 })
  t.true(statSync(reserved).blocks * 512 >= 2 ** 20)
  t.true(statSync(sparse).blocks * 512 <= PAGE_SIZE)
})

regions('room that there is not is ERR_NO_SPACE at once', (t, scene) => {
  const tmpfs = Tmpfs.mount(join(scene.directory, 'mounted'), '1m')
  if (typeof tmpfs === 'string') {
    t.log(`skipped, ${tmpfs}`)
    t.pass()
    return
  }
  using _ = tmpfs
  const { directory } = tmpfs
  const before = holdings(directory)
  const full = { code: 'ERR_NO_SPACE' }
  const file = join(directory, 'file')
  t.throws(() => Region.map({ source: { file, create: true }, size: 2 ** 21, reserve: true }), full)
  t.throws(() => Region.map({ source: { temporary: directory }, size: 2 ** 21, reserve: true }), full)
  t.throws(() => SharedMemory.open('object', 'x', { directory, size: 2 ** 21 }), full)
  t.deepEqual(SharedMemory.list({ directory }), [], 'what could not be made is not there')
  t.deepEqual(holdings(directory), before)
  using sparse = SharedMemory.open('object', 'x', { directory, size: 2 ** 21, reserve: false })
  t.is(sparse.byteLength, 2 ** 21)
  t.throws(() => sparse.map({ reserve: true }), full)
  using region = sparse.map({ reserve: false, size: PAGE_SIZE })
  region.bytes[0] = 1
  t.is(region.bytes[0], 1)
})
