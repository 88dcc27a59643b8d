import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytes, Consumer, PAGE_SIZE, Publisher, Region, SharedMemory } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { arrayFor } from './helpers/overlay.js'
import { bytesOfFile, pattern } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

const LENGTH = 8 * PAGE_SIZE
const missing = { code: 'ERR_NOT_FOUND' }

regions('modes of shared memory', (t, scene) => {
  const { directory } = scene
  const open = (mode?: 'r' | 'r+' | 'w' | 'w+' | 'x' | 'x+', size?: number) =>
    SharedMemory.open('object', mode, size === undefined ? { directory } : { directory, size })
  for (const mode of [undefined, 'r', 'r+'] as const) t.throws(() => open(mode), missing)
  t.deepEqual(scene.names(), [])
  using made = open('x', 100)
  t.deepEqual([made.byteLength, made.name, made.path, made.mode], [100, 'object', join(directory, 'object'), 0o600])
  t.true(made.writable)
  for (const mode of ['x', 'x+'] as const) t.throws(() => open(mode, 100), { code: 'ERR_ALREADY_EXISTS' })
  writeFileSync(made.path, pattern(100))
  using reader = open('r')
  t.false(reader.writable)
  t.is(reader.byteLength, 100)
  using writer = open()
  t.true(writer.writable)
  using before = writer.map()
  t.deepEqual(before.read(), pattern(100), 'r+ leaves it as it is')
  using cut = open('w', 50)
  t.is(cut.byteLength, 50)
  using after = cut.map()
  t.true(
    after.bytes.every(byte => byte === 0),
    'w begins anew',
  )
  t.is(reader.byteLength, 50, 'it is the same object')
  using empty = open('w+')
  t.is(empty.byteLength, 0)
  t.throws(() => empty.map(), { code: 'ERR_INVALID_SIZE' })
  empty.unlink()
  t.deepEqual(scene.names(), [])
  using again = open('w', 10)
  t.is(again.byteLength, 10)
  again.unlink()
})

regions('an object that is closed by one of the options that it is mapped with is closed', (t, { directory }) => {
  const before = holdings(directory)
  const maps: ((memory: SharedMemory, options: { size: number }) => unknown)[] = [
    (source, options) => Region.map(Object.defineProperties({ source, size: 0 }, Object.getOwnPropertyDescriptors(options))),
    (source, options) =>
      Region.overlay(arrayFor(2 * LENGTH), Object.defineProperties({ source, size: 0 }, Object.getOwnPropertyDescriptors(options))),
    (memory, options) => memory.map(options),
  ]
  for (const map of maps) {
    const memory = SharedMemory.open('object', 'x+', { directory, size: LENGTH })
    const options = {
      get size() {
        memory.close()
        return LENGTH
      },
    }
    t.throws(() => map(memory, options), { code: 'ERR_DISPOSED', message: 'map object: this object is closed' })
    SharedMemory.unlink('object', { directory })
    t.deepEqual(holdings(directory), before)
  }
})

regions('permission bits of shared memory are exactly those asked for', (t, { directory }) => {
  const mask = process.umask(0o777)
  try {
    for (const [name, mode] of [
      ['a', 0o600],
      ['b', 0o666],
      ['c', 0o640],
      ['d', 0o400],
      ['e', 0],
    ] as const) {
      using memory = SharedMemory.open(name, 'x', { directory, mode, size: 10 })
      t.is(memory.mode, mode)
      t.is(statSync(memory.path).mode & 0o777, mode)
      using region = memory.map()
      region.bytes[0] = 1
      memory.unlink()
    }
    using memory = SharedMemory.open('f', 'x', { directory })
    t.is(memory.mode, 0o600)
    memory.unlink()
  } finally {
    process.umask(mask)
  }
})

regions('shared memory that was opened for reading is mapped for reading', (t, { directory }) => {
  using made = SharedMemory.open('object', 'x', { directory, size: PAGE_SIZE })
  using reader = SharedMemory.open('object', 'r', { directory })
  using region = reader.map()
  t.is(region.access, 'r')
  using writer = made.map()
  writer.bytes[0] = 5
  t.is(region.bytes[0], 5)
  t.throws(() => region.write(Uint8Array.of(1)), { code: 'ERR_READ_ONLY' })
  t.throws(() => reader.truncate(10), { code: 'ERR_READ_ONLY' })
  t.throws(() => reader.map({ access: 'rw' }), { code: 'ERR_PERMISSION' })
  using copy = reader.map({ access: 'rw', sharing: 'private' })
  copy.bytes[0] = 6
  t.deepEqual([copy.bytes[0], writer.bytes[0]], [6, 5])
  made.unlink()
})

regions('shared memory is made longer and shorter', (t, { directory }) => {
  using memory = SharedMemory.open('object', 'x', { directory })
  t.is(memory.byteLength, 0)
  memory.truncate(2 * PAGE_SIZE)
  t.is(memory.byteLength, 2 * PAGE_SIZE)
  t.true(statSync(memory.path).blocks * 512 >= 2 * PAGE_SIZE, 'its room is taken')
  const region = memory.map()
  region.bytes.fill(3)
  memory.truncate(PAGE_SIZE)
  t.throws(() => region.bytes, { code: 'ERR_TRUNCATED' })
  t.is(memory.byteLength, PAGE_SIZE)
  memory.truncate(0)
  t.is(memory.byteLength, 0)
  region.close()
  using sparse = SharedMemory.open('sparse', 'x', { directory, reserve: false, size: 2 ** 30 })
  sparse.truncate(2 ** 31)
  t.deepEqual([sparse.byteLength, statSync(sparse.path).blocks], [2 ** 31, 0])
  memory.unlink()
  sparse.unlink()
})

regions('an object may be made with no bytes', (t, { directory }) => {
  using memory = SharedMemory.open('empty', 'x', { directory, size: 0 })
  t.is(memory.byteLength, 0)
  memory.truncate(PAGE_SIZE)
  t.is(memory.byteLength, PAGE_SIZE)
  memory.unlink()
})

regions('a name is taken away, the memory stays', (t, scene) => {
  const { directory } = scene
  const memory = SharedMemory.open('object', 'x', { directory, size: 100 })
  using region = memory.map()
  memory.unlink()
  t.deepEqual(scene.names(), [])
  t.throws(() => memory.unlink(), missing)
  region.bytes[0] = 9
  using again = memory.map()
  t.is(again.bytes[0], 9)
  memory.close()
  t.is(region.bytes[0], 9)
  SharedMemory.open('other', 'x', { directory, size: 1 }).close()
  SharedMemory.unlink('other', { directory })
  t.throws(() => SharedMemory.unlink('other', { directory }), missing)
  t.deepEqual(scene.names(), [])
})

regions('a name that leads to another object by now is not taken away', (t, scene) => {
  const { directory } = scene
  using first = SharedMemory.open('object', 'x', { directory, size: 1 })
  using second = SharedMemory.open('new', 'x', { directory, size: 2 })
  renameSync(second.path, first.path)
  t.throws(() => first.unlink(), missing)
  t.deepEqual(scene.names(), ['object'])
  t.throws(() => second.unlink(), missing, 'it has another name now')
  scene.remove('object')
})

regions('shared memory that was closed does nothing more', (t, { directory }) => {
  const before = holdings(directory)
  const memory = SharedMemory.open('object', 'x', { directory, size: 1 })
  memory[Symbol.dispose]()
  memory.close()
  t.true(memory.closed)
  t.is(memory.name, 'object')
  const uses: (() => unknown)[] = [
    () => memory.path,
    () => memory.byteLength,
    () => memory.mode,
    () => memory.fd,
    () => memory.truncate(1),
    () => memory.map(),
    () => memory.unlink(),
    () => Region.map({ source: memory }),
  ]
  for (const use of uses) t.throws(use, { code: 'ERR_DISPOSED' }, String(use))
  t.deepEqual(holdings(directory), before)
  SharedMemory.unlink('object', { directory })
})

regions('a list of what there is, segments among it', (t, { directory }) => {
  t.deepEqual(SharedMemory.list({ directory }), [])
  using memory = SharedMemory.open('object', 'x', { directory, size: 100, mode: 0o640 })
  using publisher = Publisher.create('segment', bytes(100), { directory, init: Uint8Array.of(1) })
  const list = SharedMemory.list({ directory }).sort((a, b) => (a.name < b.name ? -1 : 1))
  t.deepEqual(list, [
    { name: 'object', byteLength: 100, mode: 0o640, segment: false },
    { name: 'segment', byteLength: statSync(join(directory, 'segment')).size, mode: 0o600, segment: true },
  ])
  t.throws(() => SharedMemory.list({ directory: join(directory, 'none') }), missing)
  memory.unlink()
  publisher.close()
  t.deepEqual(SharedMemory.list({ directory }), [])
})

regions('what is no object of shared memory is not opened as one', (t, { directory }) => {
  mkdirSync(join(directory, 'folder'))
  symlinkSync('/nowhere', join(directory, 'link'))
  for (const name of ['folder', 'link']) {
    const open = (mode: 'r' | 'r+' | 'w' | 'x') => () => SharedMemory.open(name, mode, { directory })
    for (const mode of ['r', 'r+', 'w'] as const) t.throws(open(mode), { code: 'ERR_INVALID_ARGUMENT' }, `${name} ${mode}`)
    t.throws(open('x'), { code: 'ERR_ALREADY_EXISTS' })
  }
  t.deepEqual(SharedMemory.list({ directory }), [])
  t.false(existsSync('/nowhere'))
  rmSync(join(directory, 'folder'), { recursive: true })
  rmSync(join(directory, 'link'))
})

regions('the default directory is that of the system', (t, { unique }) => {
  using memory = SharedMemory.open(`${unique}-object`, 'x', { size: 10 })
  try {
    t.is(memory.path, `/dev/shm/${unique}-object`)
  } finally {
    memory.unlink()
  }
})

regions('a segment is shared memory, too', (t, { directory }) => {
  using publisher = Publisher.create('segment', bytes(100), { directory, init: Uint8Array.of(1, 2, 3) })
  using region = Region.map({ source: { shm: 'segment', directory }, access: 'r' })
  t.is(Buffer.from(region.bytes).indexOf(Uint8Array.of(1, 2, 3)) > 0, true)
  publisher.write(Uint8Array.of(4, 5, 6))
  t.is(Buffer.from(region.bytes).indexOf(Uint8Array.of(4, 5, 6)) > 0, true)
  using consumer = Consumer.open('segment', bytes(100), { directory })
  t.deepEqual([...consumer.read()], [4, 5, 6])
})

regions('two processes write to one object', async (t, scene) => {
  const { directory } = scene
  using memory = SharedMemory.open('object', 'x', { directory, size: 2 * PAGE_SIZE })
  using region = memory.map()
  const peer = scene.child('region-peer', ['object'])
  t.like(await peer.says('mapped'), { byteLength: 2 * PAGE_SIZE })
  region.bytes[5000] = 77
  peer.tell('peek 5000')
  t.like(await peer.says('peeked'), { value: 77 })
  peer.tell('poke 6000 88')
  await peer.says('poked')
  t.is(region.bytes[6000], 88)
  t.deepEqual(bytesOfFile(memory.path, 6000, 1), [88])
  peer.tell('unlink')
  await peer.says('unlinked')
  t.false(existsSync(memory.path))
  region.bytes[5000] = 78
  peer.tell('peek 5000')
  t.like(await peer.says('peeked'), { value: 78 })
  peer.tell('cut 100')
  await peer.says('cut')
  t.throws(() => region.bytes, { code: 'ERR_TRUNCATED' })
  peer.tell()
  await peer.succeeds()
})

regions('three processes count in one object without losing one', async (t, scene) => {
  const { directory } = scene
  using memory = SharedMemory.open('object', 'x', { directory, size: 65_536 })
  using region = memory.map()
  const peers = [scene.child('region-peer', ['object']), scene.child('region-peer', ['object'])]
  for (const peer of peers) await peer.says('mapped')
  for (const peer of peers) peer.tell('count 100000')
  for (let times = 0; times < 100_000; times++) Atomics.add(region.view(Int32Array), 1, 1)
  for (const peer of peers) await peer.says('counted')
  t.is(region.view(Int32Array)[1], 300_000)
  for (const peer of peers) {
    peer.tell()
    await peer.succeeds()
  }
  memory.unlink()
})

regions('what one may not do is ERR_PERMISSION', async (t, scene) => {
  const { directory } = scene
  writeFileSync(join(directory, 'file'), Uint8Array.of(1, 2, 3), { mode: 0o444 })
  chmodSync(join(directory, 'file'), 0o444)
  chmodSync(directory, 0o555)
  const child = scene.child('region-limits', ['permission'])
  for (const what of ['write', 'create', 'shm', 'make', 'unlink', 'protect']) {
    const { code, message } = await child.says(what)
    t.is(code, 'ERR_PERMISSION', `${what}: ${message}`)
  }
  t.like(await child.says('read'), { bytes: [1, 2] })
  await child.succeeds()
  chmodSync(directory, 0o700)
  t.deepEqual([...readFileSync(join(directory, 'file'))], [1, 2, 3])
  scene.remove('file')
})

regions('what was opened without its room is mapped without it', (t, { directory }) => {
  using sparse = SharedMemory.open('sparse', 'x', { directory, size: 2 ** 30, reserve: false })
  using region = sparse.map()
  t.is(statSync(sparse.path).blocks, 0)
  t.is(region.byteLength, 2 ** 30)
  using reserved = sparse.map({ size: 2 ** 20, reserve: true })
  t.is(statSync(sparse.path).blocks, 2 ** 11)
  t.is(reserved.byteLength, 2 ** 20)
  sparse.unlink()
})
