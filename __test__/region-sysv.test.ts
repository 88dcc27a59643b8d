import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ftok, PAGE_SIZE, type PagecastError, Region, SysVSharedMemory } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { regions } from './helpers/region-scene.js'
import { bad, ipcs, missing, refused, removeQuietly, segment, uniqueKey } from './helpers/sysv.js'

const INVALID = 'ERR_INVALID_ARGUMENT'
const SIZE = 'ERR_INVALID_SIZE'

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
