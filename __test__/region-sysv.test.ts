import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { ftok, Mutex, PAGE_SIZE, type PagecastError, Region, SysVSharedMemory } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { arrayFor } from './helpers/overlay.js'
import { point, pointedAt } from './helpers/pointers.js'
import { withPython } from './helpers/python.js'
import { freeAddress, pattern } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import type { Scene } from './helpers/scene.js'
import { ipcs, mappings, removeQuietly, segment, uniqueKey } from './helpers/sysv.js'
import { Cast } from './helpers/workers.js'

const missing = { code: 'ERR_NOT_FOUND' }
const INVALID = 'ERR_INVALID_ARGUMENT'
const SIZE = 'ERR_INVALID_SIZE'

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

/**
 * Of what a process that has ended had attached. Mostly that is so by then; but whoever looks into /proc at that moment, as ps(1) does, has its memory
 * a little longer.
 */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(1)
}

function isGone(memory: SysVSharedMemory): boolean {
  try {
    memory.stat()
    return false
  } catch (error) {
    return (error as PagecastError).code === 'ERR_NOT_FOUND'
  }
}

function refused(t: ExecutionContext, code: string, subject: string, call: () => unknown): void {
  const error = t.throws(call, { code }, `${subject}: ${call}`) as PagecastError
  t.true(error.message.startsWith(subject), error.message)
}

regions('a SysV segment is made, found and removed', t => {
  const key = uniqueKey()
  const shown = `get SysV segment 0x${key.toString(16).padStart(8, '0')}: `
  const nobody = { ...missing, message: `${shown}there is no segment with this key: No such file or directory (ENOENT)` }
  t.throws(() => SysVSharedMemory.get(key), nobody)
  const made = segment(t, 5000, { mode: 0o640 }, key)
  t.deepEqual([made.key, made.byteLength, made.stat().mode], [key, 5000, 0o640])
  t.throws(() => SysVSharedMemory.get(key, { create: true, exclusive: true, size: 5000 }), {
    code: 'ERR_ALREADY_EXISTS',
    message: `${shown}there is one with this key already: File exists (EEXIST)`,
  })
  for (const found of [
    SysVSharedMemory.get(key),
    SysVSharedMemory.get(key | 0),
    SysVSharedMemory.get(key, { create: true, size: 1 }),
    SysVSharedMemory.byId(made.id),
  ]) {
    t.deepEqual([found.id, found.key], [made.id, key])
  }
  made.remove()
  t.throws(() => SysVSharedMemory.get(key), nobody)
  for (const use of [
    () => SysVSharedMemory.byId(made.id),
    () => made.stat(),
    () => made.byteLength,
    () => made.attach(),
    () => Region.map({ source: { sysv: made.id } }),
    () => made.set({}),
    () => made.lock(),
    () => made.unlock(),
    () => made.remove(),
  ]) {
    const error = t.throws(use, missing, String(use)) as PagecastError
    t.true(error.message.includes(`SysV segment ${made.id}: there is no such segment: `), error.message)
  }
})

regions('a SysV segment is found, and never made up: nobody changes which one it is', t => {
  const [made, other] = [segment(t, 5000), segment(t, 100)]
  t.throws(() => Object.assign(made, { id: other.id }), { instanceOf: TypeError })
  t.throws(() => Object.assign(made, { key: 5 }), { instanceOf: TypeError })
  Object.defineProperty(made, 'id', { value: other.id })
  t.deepEqual([made.byteLength, made.stat().byteLength], [5000, 5000])
  made.attach().close()
  made.remove()
  t.throws(() => made.stat(), missing)
  t.is(other.stat().byteLength, 100)
  const stranger = SysVSharedMemory as unknown as new (...parts: unknown[]) => SysVSharedMemory
  for (const parts of [[], [other.id, 'private'], [Symbol('found'), other.id, 'private']]) {
    refused(t, INVALID, 'new SysVSharedMemory: ', () => new stranger(...parts))
  }
  t.throws(() => SysVSharedMemory.prototype.remove.call({ id: other.id } as SysVSharedMemory), { instanceOf: TypeError })
  refused(t, INVALID, 'map: source is ', () => Region.map({ source: Object.create(SysVSharedMemory.prototype) }))
  t.is(other.stat().byteLength, 100)
})

regions('keys of a SysV segment are those of C, with and without a sign', t => {
  const key = (0x80000000 | uniqueKey()) >>> 0
  const made = segment(t, 1, {}, key | 0)
  t.is(made.key, key)
  t.is(SysVSharedMemory.get(key).id, made.id)
  t.is(ipcs(made.id)?.[0], `0x${key.toString(16)}`)
  const nobody = segment(t, 1)
  t.deepEqual([nobody.key, nobody.stat().key, SysVSharedMemory.byId(nobody.id).key], ['private', 'private', 'private'])
})

regions('what is no SysV segment is refused before the system is asked', (t, { directory }) => {
  const own = () => SysVSharedMemory.list().filter(({ creatorPid }) => creatorPid === process.pid)
  const before = [holdings(directory), own()]
  const numbers = [Number.NaN, 1.5, -(2 ** 31) - 1, 2 ** 32, Number.POSITIVE_INFINITY, '5', 5n, null, true, {}, [5]]
  for (const key of [...numbers, 0, -0, undefined, 'Private']) {
    refused(t, INVALID, 'get SysV segment: key is ', () => SysVSharedMemory.get(bad(key), { create: true, size: 1 }))
  }
  const what = 'get SysV segment 0x0000abcd: '
  const get = (options: unknown) => () => SysVSharedMemory.get(0xabcd, bad(options))
  for (const options of [null, 5, [], 'create']) refused(t, INVALID, `${what}options is `, get(options))
  refused(t, INVALID, `${what}there is no option "length"`, get({ length: 1 }))
  for (const size of [Number.NaN, 1.5, '5', 5n, null, {}]) refused(t, INVALID, `${what}size is `, get({ create: true, size }))
  for (const size of [0, -1, Number.POSITIVE_INFINITY, 2 ** 53]) refused(t, SIZE, `${what}size is `, get({ create: true, size }))
  refused(t, SIZE, what, get({ create: true }))
  refused(t, SIZE, 'get SysV segment private: ', () => SysVSharedMemory.get('private'))
  for (const mode of [-1, 0o1000, 0.5, Number.NaN, '600', null])
    refused(t, INVALID, `${what}mode is `, get({ create: true, size: 1, mode }))
  for (const option of ['create', 'exclusive', 'reserve', 'hugePages']) {
    for (const flag of [0, 1, 'true', null, {}]) refused(t, INVALID, `${what}${option} is `, get({ size: 1, [option]: flag }))
  }
  for (const options of [{ exclusive: true }, { reserve: false }, { hugePages: true }]) refused(t, INVALID, what, get(options))
  for (const id of [...numbers, -1, 2 ** 31, undefined]) {
    refused(t, INVALID, 'SysV segment: id is ', () => SysVSharedMemory.byId(bad(id)))
    refused(t, INVALID, 'map: source.sysv is ', () => Region.map({ source: { sysv: bad(id) } }))
  }
  refused(t, INVALID, 'map source: there is no option "key"', () => Region.map({ source: bad({ sysv: 1, key: 1 }) }))
  t.deepEqual([holdings(directory), own()], before)
})

regions('what an attachment cannot be is refused before anything is attached', t => {
  const memory = segment(t, PAGE_SIZE)
  const what = `attach SysV segment ${memory.id}: `
  const attach = (options: unknown) => () => memory.attach(bad(options))
  for (const options of [null, 5, [], true]) refused(t, INVALID, `${what}options is `, attach(options))
  for (const option of ['source', 'sharing', 'reserve', 'remap'])
    refused(t, INVALID, `${what}there is no option "${option}"`, attach({ [option]: 1 }))
  for (const round of [0, 'yes', null]) refused(t, INVALID, `${what}round is `, attach({ round, address: 4096n }))
  refused(t, INVALID, `${what}round is true, but there is no address`, attach({ round: true }))
  for (const address of [4096, '4096', null, {}]) refused(t, INVALID, `${what}address is `, attach({ round: true, address }))
  const map = `map SysV segment ${memory.id}: `
  for (const address of [1n, 4097n, 0n, -4096n, 2n ** 64n]) refused(t, INVALID, `${map}address is `, attach({ address }))
  for (const address of [0n, 1n, -1n, 2n ** 64n + 5n]) refused(t, INVALID, `${map}address is `, attach({ address, round: true }))
  refused(t, INVALID, map, () => Region.map({ source: memory, sharing: 'private' }))
  refused(t, INVALID, map, () => Region.map({ source: memory, reserve: true }))
  for (const size of [PAGE_SIZE + 1, 2 ** 40]) {
    const error = t.throws(attach({ size })) as PagecastError
    t.true([SIZE, 'ERR_ADDRESS_SPACE'].includes(error.code), error.message)
  }
  refused(t, SIZE, map, attach({ offset: PAGE_SIZE }))
  refused(t, INVALID, `set SysV segment ${memory.id}: options is `, () => memory.set(bad(undefined)))
  for (const owner of [{ uid: -1 }, { gid: 2 ** 32 - 1 }, { mode: 0o1000 }, { uid: '0' }])
    t.throws(() => memory.set(bad(owner)), { code: INVALID })
  const { attachedAt, attaches } = memory.stat()
  t.deepEqual([attachedAt, attaches], [undefined, 0])
})

regions('the size of a SysV segment is told where another one is asked for', t => {
  const key = uniqueKey()
  const memory = segment(t, 5000, {}, key)
  const error = t.throws(() => SysVSharedMemory.get(key, { size: 5001 }), { code: SIZE }) as PagecastError
  t.regex(error.message, /5,001 bytes .* 5,000/)
  t.is(error.syscall, 'shmget')
  t.is(SysVSharedMemory.get(key, { size: 4999 }).id, memory.id)
  const promisesAnything = readFileSync('/proc/sys/vm/overcommit_memory', 'utf8') === '1\n'
  const much = () => removeQuietly(SysVSharedMemory.get('private', { size: 2 ** 46 }))
  if (!promisesAnything) t.throws(much, { code: 'ERR_NO_SPACE', message: /70,368,744,177,664 bytes/ })
  t.is(segment(t, 2 ** 46, { reserve: false }).byteLength, 2 ** 46)
  const huge = () => removeQuietly(SysVSharedMemory.get('private', { size: 2 ** 46, hugePages: true }))
  t.throws(huge, { code: 'ERR_HUGE_PAGES' })
  try {
    // without a reservation there is one of which no page can be had: its mapping would be 512 times as long
    const sparse = segment(t, PAGE_SIZE, { hugePages: true, reserve: false })
    t.throws(() => sparse.attach(), { code: 'ERR_HUGE_PAGES' })
    t.is(sparse.stat().attaches, 0)
  } catch (error) {
    t.is((error as PagecastError).code, 'ERR_HUGE_PAGES')
  }
})

regions('stat of a SysV segment is what happened to it', t => {
  const started = Date.now() - 2000
  const memory = segment(t, 5000, { mode: 0o604 }, uniqueKey())
  const uid = process.getuid?.() as number
  const gid = process.getgid?.() as number
  const { changedAt, ...made } = memory.stat()
  t.deepEqual(made, {
    id: memory.id,
    key: memory.key,
    uid,
    gid,
    creatorUid: uid,
    creatorGid: gid,
    mode: 0o604,
    byteLength: 5000,
    attaches: 0,
    creatorPid: process.pid,
    lastPid: 0,
    attachedAt: undefined,
    detachedAt: undefined,
    removed: false,
    locked: false,
  })
  t.true((changedAt as Date).getTime() > started)
  const region = memory.attach()
  t.like(memory.stat(), { attaches: 1, lastPid: process.pid })
  t.true((memory.stat().attachedAt as Date).getTime() > started)
  region.close()
  t.true((memory.stat().detachedAt as Date).getTime() > started)
  t.is(memory.stat().attaches, 0)
  memory.set({ mode: 0o666 })
  t.like(memory.stat(), { mode: 0o666, uid, gid })
  memory.lock()
  t.true(memory.stat().locked)
  memory.unlock()
  t.false(memory.stat().locked)
  if (uid === 0) {
    memory.set({ uid: 1, gid: 2 })
    t.like(memory.stat(), { mode: 0o666, uid: 1, gid: 2, creatorUid: 0, creatorGid: 0 })
  }
})

regions('ipcs and ipcrm agree with the list of SysV segments', t => {
  const key = uniqueKey()
  const memory = segment(t, 12_345, { mode: 0o640 }, key)
  using region = memory.attach({ privateTail: true })
  const shown = (): (string | undefined)[] | undefined => {
    const columns = ipcs(memory.id)
    return columns && [columns[0], columns[3], columns[4], columns[5]]
  }
  t.deepEqual(shown(), [`0x${key.toString(16)}`, '640', '12345', '1'])
  t.deepEqual(
    SysVSharedMemory.list().find(({ id }) => id === memory.id),
    memory.stat(),
  )
  t.deepEqual([region.sharedBuffer.byteLength, shown()?.[3]], [65_536, '2'])
  region.close()
  t.is(shown()?.[3], '0')
  execFileSync('ipcrm', ['-M', String(key)])
  t.is(shown(), undefined)
  t.throws(() => memory.stat(), missing)
  t.false(SysVSharedMemory.list().some(({ id }) => id === memory.id))
  const kept = segment(t, 1, {}, key)
  using attached = kept.attach()
  execFileSync('ipcrm', ['-m', String(kept.id)])
  t.like(kept.stat(), { removed: true, attaches: 1, key: 'private' })
  t.is(ipcs(kept.id)?.[6], 'dest')
  t.is(attached.byteLength, 1)
})

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

regions('a key is that of ftok', (t, { directory }) => {
  const path = join(directory, 'file')
  writeFileSync(path, '')
  const { dev, ino } = statSync(path)
  t.is(ftok(path, 0xe3), ((0xe3 << 24) | ((dev & 0xff) << 16) | (ino & 0xffff)) >>> 0)
  t.not(ftok(path, 1), ftok(path, 2))
  for (const project of [0, 256, -1, 1.5, Number.NaN, 'A', undefined, null]) {
    t.throws(() => ftok(path, bad(project)), { code: INVALID, message: /^ftok .*projectId is / })
  }
  for (const place of ['', 'a\0b', 5, undefined]) t.throws(() => ftok(bad(place), 1), { code: INVALID, message: /^ftok: path is / })
  t.throws(() => ftok(join(directory, 'none'), 1), missing)
  execFileSync('rm', [path])
})

const script = fileURLToPath(new URL('../../__test__/children/sysv-peer.py', import.meta.url))

withPython('a SysV segment that it made by the C library, and each sees what the other writes', async (t, scene, python) => {
  const key = (0x90000000 | uniqueKey()) >>> 0
  const peer = scene.program(python, [script, 'get', key, 10_000])
  const { id } = await peer.says('attached')
  const memory = SysVSharedMemory.get(key)
  t.teardown(() => removeQuietly(memory))
  t.deepEqual([memory.id, memory.byteLength, memory.stat().attaches], [id as number, 10_000, 1])
  using region = memory.attach()
  const ask = async (words: string, event = 'done') => {
    peer.tell(words)
    return (await peer.says(event)).value
  }
  region.bytes[9_999] = 77
  t.is(await ask('get 9999', 'got'), 77)
  await ask('set 0 88')
  t.is(region.bytes[0], 88)
  await ask('detach')
  t.is(memory.stat().attaches, 1)
  await ask('remove')
  t.true(memory.stat().removed)
  peer.tell()
  await peer.succeeds()
  t.is(region.bytes[0], 88)
  region.close()
  t.throws(() => memory.stat(), missing)
})

withPython('a SysV segment made here by the key of a file is the one it gets', async (t, scene, python) => {
  const path = join(scene.directory, 'file')
  writeFileSync(path, '')
  for (const project of [1, 0x7f, 0xff]) {
    const asked = scene.program(python, [script, 'ftok', path, project])
    t.is((await asked.says('key')).value, ftok(path, project))
    await asked.succeeds()
  }
  const memory = segment(t, 5000, {}, ftok(path, 0xff))
  using region = memory.attach()
  region.bytes[4_999] = 3
  const peer = scene.program(python, [script, 'get', memory.key, 5000])
  t.like(await peer.says('attached'), { id: memory.id })
  peer.tell('get 4999')
  t.like(await peer.says('got'), { value: 3 })
  peer.tell()
  await peer.succeeds()
  await until(() => memory.stat().attaches === 1)
  scene.remove('file')
})

const limits = fileURLToPath(new URL('./children/sysv-limits.js', import.meta.url))
const isRoot = process.getuid?.() === 0

/** As {@link regions}, for those who may become somebody else or have a namespace of their own. */
function asRoot(title: string, play: (t: ExecutionContext, scene: Scene) => Promise<void>): void {
  regions(title, async (t, scene) => {
    if (isRoot && spawnSync('unshare', ['--ipc', 'true']).status === 0) return play(t, scene)
    t.log('skipped, this needs root')
    t.pass()
  })
}

asRoot('what one may not do with a SysV segment is ERR_PERMISSION', async (t, scene) => {
  const memory = segment(t, PAGE_SIZE, { mode: 0o644 }, uniqueKey())
  using region = memory.attach()
  region.bytes[0] = 4
  const child = scene.child('sysv-limits', ['permission', memory.id])
  for (const what of ['get', 'create']) t.like(await child.says(what), { code: 'ERR_PERMISSION', syscall: 'shmget' })
  t.like(await child.says('read'), { byte: 4 })
  for (const what of ['attach', 'part']) t.like(await child.says(what), { code: 'ERR_PERMISSION', syscall: 'shmat' })
  for (const what of ['protect', 'set']) t.like(await child.says(what), { code: 'ERR_PERMISSION' })
  t.like(await child.says('lock'), { code: 'ERR_PERMISSION', syscall: 'shmctl' })
  t.like(await child.says('remove'), { code: 'ERR_PERMISSION', syscall: 'shmctl' })
  await child.says('closed')
  await child.succeeds()
  await until(() => memory.stat().attaches === 1)
  t.like(memory.stat(), { mode: 0o644, removed: false })

  const hidden = segment(t, PAGE_SIZE, {}, uniqueKey())
  const blind = scene.child('sysv-limits', ['unreadable', hidden.id])
  t.like(await blind.says('by id'), { code: 'ERR_PERMISSION' })
  t.like(await blind.says('listed'), { mode: 0o600 })
  for (const what of ['stat', 'attach']) t.like(await blind.says(what), { code: 'ERR_PERMISSION' })
  await blind.succeeds()
})

asRoot('a SysV segment that is more than one may lock is ERR_LOCK_LIMIT', async (t, scene) => {
  for (const [limit, code] of [
    ['0', 'ERR_LOCK_LIMIT'],
    ['65536', 'ERR_LOCK_LIMIT'],
    ['1048576', 'none'],
  ] as const) {
    const child = scene.program('prlimit', [`--memlock=${limit}:${limit}`, process.execPath, limits, scene.directory, 'lock'])
    const { message, ...refusal } = await child.says('lock')
    t.is(refusal.code, code, String(message))
    if (code === 'ERR_LOCK_LIMIT') t.regex(String(message), new RegExp(`within ${Number(limit).toLocaleString('en-US')} bytes`))
    t.like(await child.says('locked'), { locked: code === 'none' })
    await child.says('unlock')
    await child.succeeds()
  }
})

asRoot('a handle leads to no other SysV segment, whichever has its id', async (t, scene) => {
  const memory = segment(t, PAGE_SIZE)
  using region = memory.attach()
  const handle = region.handle()
  const child = scene.program('unshare', ['--ipc', process.execPath, limits, scene.directory, 'handles', JSON.stringify(handle)])
  t.like(await child.says('there is none'), { code: 'ERR_NOT_FOUND' })
  const made = await child.says('same id elsewhere')
  if (made.skipped !== undefined) t.log(`skipped in part: ${made.skipped}`)
  else {
    t.is(made.id, memory.id)
    const elsewhere = await child.says('elsewhere')
    t.like(elsewhere, { code: 'ERR_NOT_FOUND', attaches: 0 })
    t.regex(String(elsewhere.message), /IPC namespace/)
    const gone = await child.says('removed')
    t.like(gone, { code: 'ERR_NOT_FOUND' })
    t.not(gone.next, gone.id, 'the next one has another id')
    const another = await child.says('another')
    t.like(another, { code: 'ERR_REPLACED', attaches: 0, lastPid: 0 })
    t.is(another.id, gone.id)
    t.like(await child.says('its own'), { code: 'none', byte: 9 })
  }
  await child.succeeds()
})

asRoot('limits of SysV segments are errors with their numbers, and a namespace has its own segments', async (t, scene) => {
  const memory = segment(t, PAGE_SIZE)
  const echoes = ['shmmax 65536', 'shmall 24', 'shmmni 3'].map(limit => {
    const [name, value] = limit.split(' ')
    return `echo ${value} > /proc/sys/kernel/${name}`
  })
  const shell = [...echoes, 'exec "$@"'].join(' && ')
  const child = scene.program('unshare', [
    '--ipc',
    'sh',
    '-c',
    shell,
    'sh',
    process.execPath,
    limits,
    scene.directory,
    'namespace',
    memory.id,
  ])
  t.like(await child.says('by id'), { code: 'ERR_NOT_FOUND' })
  t.like(await child.says('list'), { list: [] })
  const expected = {
    shmmax: [SIZE, /65,537 bytes asked for, 65,536 the most of one \(kernel\.shmmax\)/],
    shmall: ['ERR_NO_SPACE', /36,864 bytes asked for, there are 16 of 24 pages \(kernel\.shmall\) and 1 of 3 segments \(kernel\.shmmni\)/],
    shmmni: ['ERR_NO_SPACE', /there are 18 of 24 pages .* and 3 of 3 segments/],
  } as const
  for (const [limit, [code, message]] of Object.entries(expected)) {
    const refusal = await child.says(limit)
    t.is(refusal.code, code)
    t.regex(String(refusal.message), message)
  }
  t.like(await child.says('three'), { list: [65_536, 1, 1] })
  t.like(await child.says('none'), { list: [] })
  await child.succeeds()
  t.is(readFileSync('/proc/sys/kernel/shmmni', 'utf8') === '3\n', false, 'the limits were the namespace’s')
  t.true(existsSync('/proc/sysvipc/shm'))
})
