import { PAGE_SIZE, Region, SysVSharedMemory } from 'pagecast'
import { arrayFor } from './helpers/overlay.js'
import { point, pointedAt } from './helpers/pointers.js'
import { regions } from './helpers/region-scene.js'
import { isGone, mappings, missing, segment, uniqueKey, until } from './helpers/sysv.js'
import { Cast } from './helpers/workers.js'

const SIZE = 'ERR_INVALID_SIZE'

regions('a removed SysV segment stays until the last detaches it', async (t, scene) => {
  const key = uniqueKey()
  const memory = segment(t, 65_536, {}, key)
  const region = memory.attach()
  const peer = scene.child('sysv-peer', [memory.id])
  t.like(await peer.says('attached'), { byteLength: 65_536, key })
  memory.remove()
  t.throws(() => SysVSharedMemory.get(key), missing)
  t.like(memory.stat(), { removed: true, attaches: 2, key: 'private' })
  const successor = segment(t, PAGE_SIZE, {}, key)
  t.not(successor.id, memory.id)
  region.bytes[5] = 55
  peer.tell('peek 5')
  t.like(await peer.says('peeked'), { value: 55 })
  region.close()
  using late = memory.attach() // as Linux has it
  t.is(late.bytes[5], 55)
  late.close()
  t.is(memory.stat().attaches, 1)
  peer.kill('SIGKILL')
  await peer.exit
  await until(() => isGone(memory))
  t.throws(() => memory.stat(), missing)
  t.throws(() => memory.attach(), missing)
  t.is(successor.byteLength, PAGE_SIZE)
})

regions('a handle of a SysV segment is good while anybody has the segment, removed or not', async (t, scene) => {
  const memory = segment(t, 65_536, {}, uniqueKey())
  const region = memory.attach()
  const handle = region.handle()
  t.is(handle.sysv, memory.id)
  t.is(memory.stat().attaches, 2, 'as the engine has it, and as others will')
  point(region, PAGE_SIZE, 'words')
  memory.remove()
  const child = scene.child('region-handle')
  await child.says('ready')
  child.tell(`follow ${JSON.stringify(handle)}`)
  const { event: _, ...said } = await child.says('followed')
  t.deepEqual(said, { word: 'words', at: PAGE_SIZE, address: String(region.address) })
  t.deepEqual(pointedAt(region), { word: 'reply', at: 3 * PAGE_SIZE })
  child.tell()
  await child.succeeds()
  await until(() => memory.stat().attaches === 2)
  t.true(memory.stat().removed)
  t.deepEqual(region.handle(), handle)
  region.pages.unmap()
  t.throws(() => region.handle(), missing)
  region.close()
  t.throws(() => Region.fromHandle(handle), { ...missing, message: new RegExp(`^map SysV segment ${memory.id}: `) })
  t.is(mappings(memory.id), 0)
})

regions('a handle of a part of a SysV segment is attached like it', t => {
  const memory = segment(t, 10 * PAGE_SIZE)
  const part = memory.attach({ offset: 3 * PAGE_SIZE, size: 2 * PAGE_SIZE - 5 })
  const handle = part.handle()
  t.like(handle, { byteOffset: 3 * PAGE_SIZE, byteLength: 2 * PAGE_SIZE - 5 })
  point(part, PAGE_SIZE, 'parts')
  using hinted = Region.fromHandle(handle, { placement: 'hint' })
  t.deepEqual([hinted.byteOffset, hinted.bytes.length, hinted.bytes[PAGE_SIZE]], [3 * PAGE_SIZE, 2 * PAGE_SIZE - 5, 'p'.charCodeAt(0)])
  part.close()
  using same = Region.fromHandle(handle)
  t.deepEqual([same.address, pointedAt(same).word], [BigInt(handle.address), 'parts'])
})

regions('a SysV segment whose permissions are set needs a new handle', async t => {
  const memory = segment(t, PAGE_SIZE)
  using region = memory.attach()
  const handle = region.handle()
  let again = handle
  while (again.changedAt === handle.changedAt) {
    Region.fromHandle(handle, { placement: 'hint' }).close() // within its second, when it is the same
    await new Promise(resolve => setTimeout(resolve, 50))
    memory.set({ mode: 0o640 })
    again = region.handle()
  }
  t.throws(() => Region.fromHandle(handle, { placement: 'hint' }), { code: 'ERR_REPLACED', message: /IPC_SET/ })
  using other = Region.fromHandle(again, { placement: 'hint' })
  other.bytes[0] = 7
  t.is(region.bytes[0], 7)
})

regions('an array shares a batch of numbers by a SysV segment', async (t, scene) => {
  const elements = 40_000
  const memory = segment(t, elements * 4)
  using other = memory.attach()
  const peer = scene.child('sysv-peer', [memory.id])
  await peer.says('attached')
  const numbers = other.view(Float32Array)
  const size = elements * 4
  for (const source of [memory, { sysv: memory.id }]) {
    const batch = new Float32Array(arrayFor(size + PAGE_SIZE).buffer).fill(-1)
    numbers.fill(3)
    const overlay = Region.overlay(batch, { source, size })
    const first = overlay.byteOffset / 4
    t.deepEqual([batch[first - 1] ?? -1, batch[first], batch[first + elements - 1]], [-1, 3, 3], 'what is in the segment shows')
    t.is(memory.stat().attaches, 3)
    for (let index = 0; index < elements; index++) batch[first + index] = index / 2
    t.true(numbers.every((number, index) => number === index / 2))
    peer.tell(`peek ${size - 1}`)
    t.is((await peer.says('peeked')).value, new Uint8Array(Float32Array.of((elements - 1) / 2).buffer)[3])
    peer.tell(`poke 3 ${0x40}`)
    await peer.says('poked')
    t.is(batch[first], 2, 'a process that has it attached')
    t.throws(() => overlay.fd, { code: 'ERR_UNSUPPORTED' })

    overlay.pages.slice(1, 2).protect('r')
    batch[first + PAGE_SIZE / 4] = 99
    t.throws(() => overlay.bytes, { code: 'ERR_READ_ONLY' })
    t.is(batch[first + PAGE_SIZE / 4], PAGE_SIZE / 8, 'and the page is had back')
    overlay.pages.protect('rw')
    overlay.close()
    t.is(memory.stat().attaches, 2, 'whatever was done to its pages')
    numbers.fill(5)
    t.deepEqual([batch[first], batch[first + elements - 1]], [2, (elements - 1) / 2], 'it stays in the array')

    batch.fill(8)
    const kept = Region.overlay(batch, { source, size, keep: true })
    t.is(kept.byteOffset / 4, first)
    t.true(numbers.every(number => number === 8))
    kept.close({ keep: false })
    t.deepEqual([batch[first], batch[first + elements - 1], numbers[0]], [0, 0, 8])
    t.is(memory.stat().attaches, 2)

    using part = Region.overlay(batch, { source, offset: 8 * PAGE_SIZE, size: 2 * PAGE_SIZE, access: 'r' })
    numbers[(8 * PAGE_SIZE) / 4] = 21
    t.is(batch[part.byteOffset / 4], 21)
    t.throws(() => Region.overlay(batch, { source, size, keep: true, access: 'r' }), { code: 'ERR_READ_ONLY' })
  }
  t.deepEqual([memory.stat().attaches, mappings(memory.id)], [2, 1])
  const short = new Uint8Array(arrayFor(size + PAGE_SIZE).length * 2)
  t.throws(() => Region.overlay(short, { source: memory }), { code: SIZE, message: /and it has 160,000/ })
  peer.tell()
  await peer.succeeds()
  await until(() => memory.stat().attaches === 1)
})

regions('a page that cannot be had back is told of, also where its SysV segment went with it', async (t, scene) => {
  const memory = segment(t, PAGE_SIZE)
  using region = memory.attach()
  region.bytes[0] = 1
  const peer = scene.child('sysv-peer', [memory.id])
  await peer.says('attached')
  region.close()
  memory.remove()
  peer.tell('spoil')
  const { codes, was } = await peer.says('spoilt')
  t.deepEqual([codes, was], [['ERR_READ_ONLY', 'ERR_READ_ONLY', 'ERR_READ_ONLY'], 1])
  peer.tell()
  await peer.succeeds()
  await until(() => isGone(memory))
})

regions('processes that attach a SysV segment are counted, and a killed one detaches', async (t, scene) => {
  const memory = segment(t, 65_536)
  using region = memory.attach()
  const peers = [scene.child('sysv-peer', [memory.id]), scene.child('sysv-peer', [memory.id])]
  for (const peer of peers) await peer.says('attached')
  t.is(memory.stat().attaches, 3)
  for (const peer of peers) peer.tell('count 100000')
  for (let times = 0; times < 100_000; times++) Atomics.add(region.view(Int32Array), 1, 1)
  for (const peer of peers) await peer.says('counted')
  t.is(region.view(Int32Array)[1], 300_000)
  const [first, second] = peers
  first?.kill('SIGKILL')
  await first?.exit
  await until(() => memory.stat().attaches === 2)
  second?.tell('poke 9 99')
  await second?.says('poked')
  t.is(region.bytes[9], 99)
  second?.tell()
  await second?.succeeds()
  await until(() => memory.stat().attaches === 1)
  t.pass()
})

regions('an attachment that nobody can reach any more is detached', async (t, scene) => {
  const memory = segment(t, 65_536)
  const peer = scene.child('sysv-peer', [memory.id], { nodeArguments: ['--expose-gc'] })
  await peer.says('attached')
  peer.tell('forget 50')
  await peer.says('forgotten')
  await peer.says('collected')
  t.is(memory.stat().attaches, 1)
  peer.tell()
  await peer.succeeds()
})

regions('workers see a SysV segment by its shared buffer, and one that is terminated detaches what it attached', async t => {
  const memory = segment(t, 65_536)
  using region = memory.attach()
  const { sharedBuffer } = region
  const worker = new Cast('sysv-worker', { id: memory.id, sharedBuffer })
  t.deepEqual((await worker.says('added')).values, [1, 1])
  t.is(Atomics.load(region.view(Int32Array), 0), 1)
  t.is(memory.stat().attaches, 3)
  await worker.terminate()
  await until(() => memory.stat().attaches === 2)
  t.is(Atomics.add(new Int32Array(sharedBuffer), 0, 1), 1)
})
