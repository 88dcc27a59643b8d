// Runs into a limit of SysV shared memory, and tells what became of it.
//
//   sysv-limits.js DIRECTORY namespace|permission|unreadable|lock ID
//   sysv-limits.js DIRECTORY handles HANDLE
import { existsSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { PAGE_SIZE, type PagecastError, Region, type SysVHandle, SysVSharedMemory } from 'pagecast'
import { removeQuietly } from '../helpers/sysv.js'
import { say } from './stage.js'

const [, limit = '', id = ''] = process.argv.slice(2)

function refusal(event: string, attempt: () => unknown, facts: () => object = () => ({})): void {
  try {
    attempt()
    say(event, { code: 'none', ...facts() })
  } catch (error) {
    const { code, message, syscall } = error as PagecastError
    say(event, { code, message, syscall, ...facts() })
  }
}

const make = (size: number, reserve = true) => SysVSharedMemory.get('private', { size, reserve })

/** What the next segment of this namespace gets for its id, where the kernel can be told. */
const NEXT_ID = '/proc/sys/kernel/shm_next_id'

function makeWithId(id: number): SysVSharedMemory {
  writeFileSync(NEXT_ID, String(id))
  return make(PAGE_SIZE)
}

/** Another one of the same id, and not of the same second. */
async function another({ sysv, changedAt }: SysVHandle): Promise<SysVSharedMemory> {
  for (;;) {
    const memory = makeWithId(sysv)
    if (Math.floor(Number(memory.stat().changedAt) / 1000) !== changedAt) return memory
    memory.remove()
    await delay(50)
  }
}

const limits: Record<string, () => void | Promise<void>> = {
  /** In an IPC namespace of its own, where the handle is another one's. */
  handles: async () => {
    const foreign = JSON.parse(id) as SysVHandle
    refusal('there is none', () => Region.fromHandle(foreign))
    if (!existsSync(NEXT_ID)) return say('same id elsewhere', { skipped: 'this kernel cannot be told which id comes next' })
    const same = makeWithId(foreign.sysv)
    say('same id elsewhere', { id: same.id })
    const changedAt = Math.floor(Number(same.stat().changedAt) / 1000)
    refusal(
      'elsewhere',
      () => Region.fromHandle({ ...foreign, changedAt }),
      () => ({ attaches: same.stat().attaches }),
    )
    const first = make(PAGE_SIZE)
    const region = first.attach()
    const handle = region.handle() as SysVHandle
    region.close()
    first.remove()
    const next = make(PAGE_SIZE)
    refusal(
      'removed',
      () => Region.fromHandle(handle),
      () => ({ id: first.id, next: next.id }),
    )
    const successor = await another(handle)
    refusal(
      'another',
      () => Region.fromHandle(handle),
      () => ({ ...successor.stat() }),
    )
    using own = Region.fromHandle({ ...handle, changedAt: Math.floor(Number(successor.stat().changedAt) / 1000) })
    using writer = successor.attach()
    writer.bytes[0] = 9
    say('its own', { code: 'none', byte: own.bytes[0] })
    for (const memory of [same, next, successor]) memory.remove()
  },
  /** In an IPC namespace of its own, where three segments fit, of 64 KiB each and 96 KiB together. */
  namespace: () => {
    refusal('by id', () => SysVSharedMemory.byId(Number(id)))
    say('list', { list: SysVSharedMemory.list() })
    refusal('shmmax', () => make(65_537))
    const made = [make(65_536)]
    refusal('shmall', () => make(32_768 + PAGE_SIZE))
    made.push(make(1), make(1))
    refusal('shmmni', () => make(1))
    say('three', { list: SysVSharedMemory.list().map(({ byteLength }) => byteLength) })
    made.forEach(removeQuietly)
    say('none', { list: SysVSharedMemory.list() })
  },
  /** As a user who owns nothing. */
  permission: () => {
    process.setuid?.(65_534)
    const key = SysVSharedMemory.list().find(found => found.id === Number(id))?.key ?? 'private'
    refusal('get', () => SysVSharedMemory.get(key, { mode: 0o600 }))
    refusal('create', () => SysVSharedMemory.get(key, { create: true, size: 1 }))
    const memory = SysVSharedMemory.get(key)
    using reader = memory.attach({ access: 'r' })
    say('read', { byte: reader.bytes[0] })
    refusal('attach', () => memory.attach())
    refusal('part', () => memory.attach({ size: 1 }))
    refusal('protect', () => reader.pages.protect('rw'))
    refusal('set', () => memory.set({ mode: 0o666 }))
    refusal('lock', () => memory.lock())
    refusal('remove', () => memory.remove())
    say('closed', {})
  },
  /** As a user whose limit of locked memory is given. */
  lock: () => {
    process.setuid?.(65_534)
    const memory = make(2 * 65_536)
    refusal('lock', () => memory.lock())
    say('locked', { locked: memory.stat().locked })
    refusal('unlock', () => memory.unlock())
    removeQuietly(memory)
  },
  /** As one who may not read it. */
  unreadable: () => {
    process.setuid?.(65_534)
    refusal('by id', () => SysVSharedMemory.byId(Number(id)))
    const found = SysVSharedMemory.list().find(found => found.id === Number(id))
    say('listed', { mode: found?.mode })
    const memory = SysVSharedMemory.get(found?.key ?? 'private')
    refusal('stat', () => memory.stat())
    refusal('attach', () => memory.attach({ access: 'r' }))
  },
}

await limits[limit]?.()
