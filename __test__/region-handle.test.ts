import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import {
  type MapOptions,
  type OpenHandle,
  PAGE_SIZE,
  PagecastError,
  Region,
  type RegionHandle,
  SharedMemory,
  type SysVHandle,
} from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { point, pointedAt } from './helpers/pointers.js'
import { cut, fileOf, pathOf, pattern } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { segment } from './helpers/sysv.js'

const { PAGECAST_RUST_EXAMPLES: examples = fileURLToPath(new URL('../rust/', import.meta.url)) } = process.env

const page = BigInt(PAGE_SIZE)
const size = 2 ** 20
const taken = { code: 'ERR_ADDRESS_IN_USE' }

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

/** Line of the kernel's list of mappings for what begins there. */
function mappedAt(address: bigint): string | undefined {
  const start = `${address.toString(16)}-`
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find(line => line.startsWith(start))
}

regions('a pointer means the same byte in a spawned process', async (t, scene) => {
  const { directory } = scene
  const name = 'object'
  using memory = SharedMemory.open(name, 'x+', { directory, size })
  pathOf(directory, name)
  const file = fileOf(directory, pattern(size + PAGE_SIZE))
  const child = scene.child('region-handle')
  await child.says('ready')
  const all: MapOptions[] = [
    { size },
    { size, placement: 'portable' },
    { size, source: 'memfd' },
    { size, source: 'temporary', placement: 'portable' },
    { source: { file }, offset: PAGE_SIZE },
    { source: { shm: name, directory } },
    { source: memory, placement: 'portable' },
    { source: segment(t, size) },
    { source: { sysv: segment(t, size).id }, offset: PAGE_SIZE, placement: 'portable' },
  ]
  for (const options of all) {
    using region = Region.map(options)
    const handle = region.handle()
    t.is(BigInt(handle.address), region.address)
    point(region, 3 * PAGE_SIZE, 'words')
    child.tell(`follow ${JSON.stringify(handle)}`)
    const { event: _, ...said } = await child.says('followed')
    t.deepEqual(said, { word: 'words', at: 3 * PAGE_SIZE, address: String(region.address) }, JSON.stringify(options))
    t.deepEqual(pointedAt(region), { word: 'reply', at: 5 * PAGE_SIZE })
  }
  child.tell()
  await child.succeeds()
})

regions('twenty spawned processes have the range free', async (t, scene) => {
  for (let spawn = 0; spawn < 20; spawn++) {
    scene.doing(`process ${spawn}`)
    using region = Region.map({ source: 'memfd', size: 2 ** 30, reserve: false }) // sparse: address space, and no memory
    const handle = region.handle()
    point(region, 2 ** 30 - 4 * PAGE_SIZE, 'space')
    const child = scene.child('region-handle')
    await child.says('ready')
    child.tell(`follow ${JSON.stringify(handle)}`)
    const { word, address } = await child.says('followed')
    t.deepEqual([word, address], ['space', String(region.address)])
    t.is(pointedAt(region).word, 'reply')
    child.tell()
    await child.succeeds()
  }
})

regions('a process that has something there is told and keeps it', async (t, scene) => {
  using region = Region.map({ size: 16 * PAGE_SIZE, placement: 'portable' })
  region.bytes.fill(7)
  const child = scene.child('region-handle')
  await child.says('ready')
  child.tell(`taken ${JSON.stringify(region.handle())}`)
  const { told } = await child.says('told')
  t.deepEqual(told, Array(3).fill({ ...taken, untouched: true }))
  t.true(region.bytes.every(byte => byte === 7))
  child.tell()
  await child.succeeds()
})

regions('a descriptor that is inherited does without a name and without whoever made the handle', async (t, scene) => {
  using region = Region.map({ size, source: 'memfd' })
  const handle = { ...region.handle(), pid: 2 ** 22 + 1 } // more than there are
  point(region, PAGE_SIZE, 'given')
  const child = scene.child('region-handle', [], { descriptors: [region.fd] })
  await child.says('ready')
  child.tell(`follow-fd ${JSON.stringify(handle)}`)
  const { word, without } = await child.says('followed')
  t.deepEqual([word, without], ['given', 'ERR_NOT_FOUND'])
  t.is(pointedAt(region).word, 'reply')
  child.tell()
  await child.succeeds()
})

regions('what has no name goes with whoever made it, unless somebody has it', async (t, scene) => {
  const child = scene.child('region-handle')
  await child.says('ready')
  child.tell('make')
  const handle = (await child.says('made')).handle as RegionHandle
  t.is(handle.pid, child.pid)
  const heir = Region.fromHandle(handle)
  t.deepEqual(pointedAt(heir), { word: 'alive', at: PAGE_SIZE })
  const again = heir.handle()
  t.like(again, { address: handle.address, inode: handle.inode, pid: process.pid })
  child.kill('SIGKILL')
  await child.exit
  t.is(pointedAt(heir).word, 'alive')
  t.throws(() => Region.fromHandle(again), taken)
  using elsewhere = Region.fromHandle(again, { placement: 'hint' })
  t.not(elsewhere.address, heir.address)
  heir.close()
  t.throws(() => Region.fromHandle(handle), {
    code: 'ERR_NOT_FOUND',
    message: new RegExp(`process ${handle.pid}.*no descriptor was given`),
  })
  using last = Region.fromHandle(handle, { fd: elsewhere.fd })
  t.is(pointedAt(last).word, 'alive')
})

regions('Rust follows pointers of ours, and we those of Rust', async (t, scene) => {
  for (const options of [{ size }, { source: segment(t, size) }]) {
    using region = Region.map(options)
    const handle = region.handle()
    point(region, 3 * PAGE_SIZE, 'nodes')
    const follower = scene.program(join(examples, 'pointers'), ['follow', JSON.stringify(handle)])
    t.is(await follower.line(), `nodes at ${3 * PAGE_SIZE}`)
    await follower.succeeds()
    t.deepEqual(pointedAt(region), { word: 'crate', at: 8192 })
  }

  const maker = scene.program(join(examples, 'pointers'), ['make'])
  const text = await maker.line()
  using made = Region.fromHandle(JSON.parse(text))
  t.deepEqual(pointedAt(made), { word: 'rusty', at: 4096 })
  t.is(JSON.stringify({ ...made.handle(), pid: maker.pid, fd: JSON.parse(text).fd }), text, 'the same text')
  point(made, 12_288, 'reply')
  maker.tell('go on')
  t.is(await maker.line(), 'reply at 12288')
  await maker.succeeds()
})

regions('a handle moves what addresses mean, once, and bytes stay where they are', t => {
  using region = Region.map({ size: 3 * PAGE_SIZE })
  const { address: before, bytes, sharedBuffer } = region
  region.pages.slice(1, 2).protect('r')
  region.pages.slice(2).unmap()
  const handle = region.handle()
  const { address } = region
  t.not(address, before)
  t.is(BigInt(handle.address), address)
  t.deepEqual(region.handle(), handle)
  t.is(region.bytes, bytes)
  t.is(region.sharedBuffer, sharedBuffer)
  for (const start of [before, address]) {
    t.is(region.offsetOf(start), 0)
    t.is(region.offsetOf(start + page + 5n), PAGE_SIZE + 5)
    t.is(region.offsetOf(start + 3n * page), 3 * PAGE_SIZE)
    t.is(region.absoluteAt(start + 5n, start + page).byteOffset, 5)
    for (const outside of [start - 1n, start + 3n * page + 1n]) t.throws(() => region.offsetOf(outside), { code: 'ERR_VALUE_RANGE' })
  }
  for (const outside of [0n, -1n, -address, 2n ** 64n, address + 2n ** 64n]) {
    t.throws(() => region.offsetOf(outside), { code: 'ERR_VALUE_RANGE' })
  }
  t.is(region.addressOf(1), address + 1n)
  t.is(region.pages.address, address)
  bytes[0] = 9
  t.is(region.read(1)[0], 9)
  t.regex(mappedAt(address) ?? '', /rw-s/)
  t.regex(mappedAt(address + page) ?? '', /r--s/)
  t.regex(mappedAt(address + 2n * page) ?? '', /---p/)
  region.close()
  t.is(mappedAt(address), undefined)
  t.throws(() => region.handle(), { code: 'ERR_DISPOSED' })
})

regions('what others were told of grows where it is, or not at all', (t, { directory }) => {
  using memory = SharedMemory.open('object', 'x+', { directory, size })
  pathOf(directory, 'object')
  using region = memory.map()
  const old = region.handle()
  const { address, bytes } = region
  region.resize(2 * size)
  t.is(region.address, address)
  t.is(bytes.length, 0)
  region.bytes[2 * size - 1] = 8
  t.is(region.absoluteAt(address + BigInt(2 * size - 1))[0], 8)
  const stopper = Region.map({ size: PAGE_SIZE, address: address + BigInt(2 * size) })
  t.throws(() => region.resize(3 * size), taken)
  t.is(memory.byteLength, 2 * size)
  t.is(region.bytes[2 * size - 1], 8)
  stopper.close()
  t.is(region.handle().byteLength, 2 * size)
  region.close()
  using part = Region.fromHandle(old)
  t.is(part.byteLength, size, 'as it was when the handle was made')
  memory.truncate(size - 1)
  t.throws(() => part.handle(), { code: 'ERR_TRUNCATED' })
  part.close()
  t.throws(() => Region.fromHandle(old), { code: 'ERR_TRUNCATED', message: /1,048,575 bytes by now, of 1,048,576/ })
  memory.truncate(0)
  t.throws(() => Region.fromHandle(old), { code: 'ERR_TRUNCATED' })
  t.is(memory.byteLength, 0, 'nothing makes it longer')
})

regions('a portable region is placed from the start, and its handle changes nothing', t => {
  using region = Region.map({ size: 10, placement: 'portable' })
  const { address } = region
  t.is(BigInt(region.handle().address), address)
  t.is(region.address, address)
  region.bytes[9] = 1
  t.is(region.read()[9], 1)
  t.throws(() => Region.map({ size: 10, placement: 'portable', address }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => Region.map({ size: 10, placement: 'portable', sharing: 'private' }), { code: 'ERR_PRIVATE' })
  t.throws(() => Region.map({ size: 10, placement: 'portable', source: { file: '/dev/zero' } }), { code: 'ERR_PRIVATE' })
})

regions('a region at an address keeps it', t => {
  using space = Region.reserve(2 * size)
  using region = Region.map({ size, address: space.address, placement: 'replace' })
  const handle = region.handle()
  t.is(BigInt(handle.address), space.address)
  region.close()
  t.throws(() => Region.fromHandle(handle, { placement: 'replace' }), { code: 'ERR_NOT_FOUND' }, 'nobody has it')
  using other = Region.map({ size, source: 'memfd' })
  other.bytes[0] = 5
  const moved = { ...other.handle(), address: handle.address }
  t.throws(() => Region.fromHandle(moved), taken, 'that is ours, but reserved')
  using replaced = Region.fromHandle(moved, { placement: 'replace' })
  t.deepEqual([replaced.address, replaced.bytes[0]], [space.address, 5])
})

regions('what is private or a device has no handle', t => {
  for (const options of [{ sharing: 'private' }, { source: { file: '/dev/zero' } }] as MapOptions[]) {
    using region = Region.map({ size, ...options })
    const { address } = region
    t.throws(() => region.handle(), { code: 'ERR_PRIVATE' })
    t.is(region.address, address)
  }
})

regions('a region that gave its descriptor up has no handle, and one that is placed keeps it', t => {
  const many = Array.from({ length: 600 }, () => Region.map({ size: PAGE_SIZE }))
  const [first, last] = [many[0], many.at(-1)] as [Region, Region]
  const { address } = first
  t.throws(() => first.handle(), { code: 'ERR_TOO_MANY_FILES' })
  t.is(first.address, address)
  t.is(last.handle().pid, process.pid, 'those that were mapped first give theirs up')
  using placed = Region.map({ size: PAGE_SIZE, placement: 'portable' })
  placed.bytes[0] = 3
  using again = Region.fromHandle(placed.handle(), { placement: 'hint' })
  t.is(again.bytes[0], 3)
  for (const region of many) region.close()
})

regions('a name that is gone or another one by now', (t, { directory }) => {
  const file = fileOf(directory, pattern(size))
  const region = Region.map({ source: { file } })
  const handle = region.handle()
  t.is(handle.file, file)
  renameSync(fileOf(directory, new Uint8Array(size), 'other'), file)
  using through = Region.fromHandle(handle, { placement: 'hint' }) // whoever made it has it open
  t.deepEqual(through.bytes, pattern(size))
  t.is(region.handle().file, undefined, 'the name is not its own any more')
  through.close()
  region.close()
  const before = holdings(directory)
  t.throws(() => Region.fromHandle(handle), { code: 'ERR_REPLACED', message: /the name leads to another object/ })
  rmSync(file)
  t.throws(() => Region.fromHandle(handle), { code: 'ERR_NOT_FOUND' })
  t.deepEqual(holdings(directory), before)
})

/** Until an inode is given again: the next file may be somebody else's. There are filesystems that never do it, or not at once. */
const MOST_ATTEMPTS = 100

regions('a file that has the inode of one that is gone is another one', t => {
  const directory = mkdtempSync(join(tmpdir(), 'pagecast-test-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'file')
  const identity = () => statSync(file, { bigint: true })
  let reused = 0
  for (let attempt = 0; attempt < 10 || (reused === 0 && attempt < MOST_ATTEMPTS); attempt++) {
    writeFileSync(file, pattern(PAGE_SIZE))
    const { dev, ino, birthtimeNs } = identity()
    const region = Region.map({ source: { file } })
    const handle = region.handle() as OpenHandle
    t.like(handle, { device: `${dev}`, inode: `${ino}`, bornAt: `${birthtimeNs}` })
    region.close()
    Region.fromHandle(handle).close()
    do {
      rmSync(file)
      writeFileSync(file, 'x'.repeat(PAGE_SIZE))
    } while (identity().birthtimeNs === birthtimeNs) // the kernel's clock goes on every few milliseconds
    const before = holdings(directory)
    t.throws(() => Region.fromHandle(handle), { code: 'ERR_REPLACED', message: /the name leads to another object/ })
    const isReused = identity().ino === ino
    const fact = isReused ? /inode .* once more, in a file that was made at another time/ : /inode .* handle is about inode/
    const fd = openSync(file, 'r+')
    t.throws(() => Region.fromHandle(handle, { fd }), { code: 'ERR_INVALID_ARGUMENT', message: fact })
    closeSync(fd)
    t.deepEqual(holdings(directory), before)
    if (isReused) {
      reused += 1
      const { bornAt: _, ...without } = handle
      using found = Region.fromHandle(without) // device and inode do not tell them apart
      t.is(found.bytes[0], 'x'.charCodeAt(0))
    }
    rmSync(file)
  }
  t.log(reused > 0 ? `${reused} inodes were given again` : `no inode was given again, as filesystem ${statfsSync(tmpdir()).type} has it`)
})

regions('a handle of a region that is read gives one that is read', (t, { directory }) => {
  const file = fileOf(directory, pattern(size))
  const region = Region.map({ source: { file }, access: 'r' })
  const handle = region.handle()
  t.is(handle.access, 'r')
  region.close()
  using reader = Region.fromHandle(handle)
  t.is(reader.access, 'r')
  t.throws(() => reader.write(Uint8Array.of(1)), { code: 'ERR_READ_ONLY' })
  reader.close()
  const fd = openSync(file, 'r')
  t.teardown(() => closeSync(fd))
  t.throws(() => Region.fromHandle(handle, { fd, access: 'rw' }), { code: 'ERR_PERMISSION' })
  t.throws(() => Region.fromHandle(handle, { fd: 0 }), { code: 'ERR_INVALID_ARGUMENT', message: /inode .* handle is about inode/ })
  using writer = Region.fromHandle(handle, { access: 'rw' }) // the file permits it
  writer.bytes[0] = 200
  t.is(readFileSync(file)[0], 200)
})

regions('a region that is cut while others have it', (t, { directory }) => {
  const file = fileOf(directory, pattern(size))
  using region = Region.map({ source: { file } })
  region.handle()
  region.bytes[0] = 1
  cut(file, PAGE_SIZE)
  t.throws(() => region.address, { code: 'ERR_TRUNCATED' })
  t.throws(() => region.handle(), { code: 'ERR_TRUNCATED' })
})

/** It is refused, in one of our own errors, which names the field, and leaves nothing. */
function refused(t: ExecutionContext, directory: string, handle: unknown, named: RegExp): void {
  const before = holdings(directory)
  const error = t.throws(() => Region.fromHandle(bad(handle)), { code: 'ERR_INVALID_ARGUMENT', message: named }) as PagecastError
  t.true(error instanceof PagecastError)
  t.true(error.message.length < 400, error.message)
  t.deepEqual(holdings(directory), before)
}

regions('what is no handle is refused, by the name of what is wrong', (t, { directory }) => {
  const made = Region.map({ size: 2 * PAGE_SIZE })
  const handle = made.handle()
  const kept = structuredClone(handle)
  t.deepEqual(JSON.parse(JSON.stringify(handle)), kept)
  for (const value of [undefined, null, 5, 'handle', JSON.stringify(handle), true, [handle], () => handle, Symbol('handle')]) {
    refused(t, directory, value, /^fromHandle: handle is /)
  }
  const { NaN: NAN, POSITIVE_INFINITY: INFINITY } = Number
  const numbers = [NAN, INFINITY, -1, 1.5, 2 ** 53, '4096', null, true, {}, [1], undefined]
  const fields: Record<string, unknown[]> = {
    kind: ['', 'region', 1, null, undefined],
    version: [0, 2, 1.1, '1', null, undefined],
    address: [
      0,
      4096,
      handle.address.slice(2),
      '0x0',
      '0x1',
      `${handle.address}000000`,
      handle.address.toUpperCase(),
      ' 0x1000',
      '',
      null,
      undefined,
    ],
    byteLength: [0, ...numbers],
    byteOffset: [1, ...numbers],
    access: ['', 'w', 'RW', 'constructor', 1, null, undefined],
    device: [1, '', '-1', '0x1', '1e3', '1'.repeat(1000), null, undefined],
    inode: [1, '', '+1', null, undefined],
    bornAt: [1, '', '-1', '01', '1.5', '1'.repeat(21), null],
    shm: ['', 'a/b', '..', 1, null],
    directory: ['/dev/shm', 1, null],
    file: ['', 'relative', '/a\0b', 1, null],
    pid: [0, 2 ** 31, ...numbers],
    fd: [2 ** 31, ...numbers],
    sysv: [0, -1, '0', null],
    changedAt: [0, null],
    stranger: [1],
  }
  for (const [field, values] of Object.entries(fields)) {
    const named = field === 'shm' ? { ...handle, directory } : handle
    for (const value of values) refused(t, directory, { ...named, [field]: value }, new RegExp(`^handle: .*${field}`))
  }
  refused(t, directory, { ...handle, file: '/a', shm: 'a', directory: '/dev/shm' }, /both shm and file/)
  refused(t, directory, { ...handle, pid: 1n }, /cannot be written as JSON/)
  refused(t, directory, { toJSON: () => undefined }, /no JSON/)
  refused(t, directory, { toJSON: () => 'handle' }, /^handle: it is "handle"/)
  const cycle: { file?: unknown } = { ...handle }
  cycle.file = cycle
  refused(t, directory, cycle, /cannot be written as JSON/)
  const thrower = Object.defineProperty({ ...handle }, 'address', {
    enumerable: true,
    get() {
      throw new Error('mine')
    },
  })
  const { cause } = t.throws(() => Region.fromHandle(thrower), { code: 'ERR_INVALID_ARGUMENT' }) as PagecastError
  t.is((cause as Error).message, 'mine')
  t.deepEqual(made.handle(), kept)
  made.close()
})

regions('what is no handle of a SysV segment is refused, by the name of what is wrong', (t, { directory }) => {
  const memory = segment(t, 2 * PAGE_SIZE)
  const made = Region.map({ source: memory })
  const handle = made.handle() as SysVHandle
  t.deepEqual(Object.keys(handle).slice(-4), ['device', 'inode', 'sysv', 'changedAt'])
  made.close()
  const { sysv: _, ...withoutId } = handle
  refused(t, directory, withoutId, /^handle: sysv is missing/)
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5, 2 ** 53, '1', null, true, {}, [1]]
  const fields: Record<string, unknown[]> = {
    sysv: [2 ** 31, ...numbers],
    changedAt: [undefined, ...numbers],
    device: [1, '', null, undefined],
    inode: [1, '-1', null, undefined],
    shm: ['object'],
    directory: ['/dev/shm'],
    file: ['/etc/passwd'],
    pid: [process.pid],
    fd: [0],
  }
  for (const [field, values] of Object.entries(fields)) {
    for (const value of values) refused(t, directory, { ...handle, [field]: value }, new RegExp(`^handle: .*${field}`))
  }
  const what = new RegExp(`^map SysV segment ${memory.id}: `)
  for (const options of [{ fd: 0 }, { fd: 2 ** 20 }, { reserve: true }]) {
    t.throws(() => Region.fromHandle(handle, options), { code: 'ERR_INVALID_ARGUMENT', message: what })
  }
  const lie = (lies: Partial<SysVHandle>) => () => Region.fromHandle({ ...handle, ...lies } as SysVHandle)
  const before = holdings(directory)
  t.throws(lie({ sysv: 2 ** 31 - 1 }), { code: 'ERR_NOT_FOUND' })
  for (const changedAt of [0, handle.changedAt - 1, handle.changedAt + 1, Number.MAX_SAFE_INTEGER]) {
    t.throws(lie({ changedAt }), { code: 'ERR_REPLACED', message: new RegExp(`at ${handle.changedAt}, .* of ${changedAt},`) })
  }
  for (const elsewhere of [{ inode: '1' }, { device: String(2n ** 64n - 1n) }]) {
    t.throws(lie(elsewhere), { code: 'ERR_NOT_FOUND', message: /IPC namespace/ })
  }
  t.throws(lie({ byteLength: 2 * PAGE_SIZE + 1 }), { code: 'ERR_INVALID_SIZE', message: /8,193 bytes asked for, and it has 8,192/ })
  t.throws(lie({ byteOffset: PAGE_SIZE }), { code: 'ERR_INVALID_SIZE' })
  t.throws(lie({ address: '0xfffffffffffff000' }), { code: 'ERR_ADDRESS_SPACE' })
  const [, code = ''] = /^([0-9a-f]+)-\S+ r-xp .*node/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? []
  t.throws(lie({ address: `0x${code.replace(/^0+/, '')}` }), taken, 'this program itself')
  t.deepEqual(holdings(directory), before)
  t.is(memory.stat().attaches, 0)
  using reader = lie({ access: 'r' })()
  t.deepEqual([reader.address, reader.access, memory.stat().attaches], [BigInt(handle.address), 'r', 2])
  t.throws(() => Region.fromHandle(handle), taken)
})

regions('options of a handle are checked like those of a mapping', (t, { directory }) => {
  using region = Region.map({ size: 2 * PAGE_SIZE })
  const handle = region.handle()
  const before = holdings(directory)
  const wrong: Record<string, unknown[]> = {
    fd: [-1, 0.5, 2 ** 31, '3', null, {}],
    access: ['', 'w', null, 1],
    placement: ['portable', '', null, true],
    reserve: [0, 'true', null],
    populate: [1, null],
    lock: [1, null],
    hugePages: [1, null],
    privateTail: [1, null],
    size: [1],
    address: [1n],
  }
  for (const [option, values] of Object.entries(wrong)) {
    for (const value of values) {
      const options = { [option]: value }
      t.throws(() => Region.fromHandle(handle, bad(options)), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(option) })
    }
  }
  for (const options of [null, 5, 'options', []]) {
    t.throws(() => Region.fromHandle(handle, bad(options)), { code: 'ERR_INVALID_ARGUMENT', message: /options/ })
  }
  t.throws(() => Region.fromHandle(handle, { fd: 2 ** 20 }), { code: 'ERR_INVALID_ARGUMENT', message: /descriptor 1048576/ })
  t.deepEqual(holdings(directory), before)
  using again = Region.fromHandle(handle, { placement: 'hint', populate: true, privateTail: true })
  t.is(again.pages.residency().every(Boolean), true)
  t.true(again.sharedBuffer.byteLength >= again.byteLength)
})

regions('a handle that lies maps nothing else, and nothing over anything', (t, { directory }) => {
  const file = fileOf(directory, pattern(size))
  const region = Region.map({ source: { file } })
  const handle = region.handle()
  region.close()
  const other = fileOf(directory, new Uint8Array(size).fill(9), 'other')
  const lie = (lies: Partial<OpenHandle>) => () => Region.fromHandle({ ...handle, ...lies } as OpenHandle)
  const before = holdings(directory)
  t.throws(lie({ file: other }), { code: 'ERR_REPLACED' })
  const { ino, birthtimeNs } = statSync(other, { bigint: true })
  t.throws(lie({ file: other, inode: `${ino}`, bornAt: '1' }), { code: 'ERR_REPLACED' })
  t.throws(lie({ file: other, inode: `${ino}`, bornAt: `${birthtimeNs}`, byteLength: size + 1 }), { code: 'ERR_TRUNCATED' })
  t.throws(lie({ byteLength: 2 ** 31 }), { code: 'ERR_TRUNCATED' })
  t.throws(lie({ byteLength: Number.MAX_SAFE_INTEGER }), { code: 'ERR_ADDRESS_SPACE' })
  t.throws(lie({ byteOffset: PAGE_SIZE }), { code: 'ERR_TRUNCATED' })
  t.throws(lie({ address: '0xfffffffffffff000' }), { code: 'ERR_ADDRESS_SPACE' })
  const [, code = ''] = /^([0-9a-f]+)-\S+ r-xp .*node/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? []
  t.throws(lie({ address: `0x${code.replace(/^0+/, '')}` }), taken, 'this program itself')
  t.throws(lie({ file: '/dev/zero' }), { code: 'ERR_REPLACED' })
  t.deepEqual(holdings(directory), before)
  using honest = lie({ pid: 1, fd: 0 })()
  t.deepEqual(honest.bytes, pattern(size))
})
