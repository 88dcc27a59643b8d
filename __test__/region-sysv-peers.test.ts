import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { ftok, PAGE_SIZE, SysVSharedMemory } from 'pagecast'
import { withPython } from './helpers/python.js'
import { regions } from './helpers/region-scene.js'
import type { Scene } from './helpers/scene.js'
import { missing, removeQuietly, segment, uniqueKey, until } from './helpers/sysv.js'

const SIZE = 'ERR_INVALID_SIZE'

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
