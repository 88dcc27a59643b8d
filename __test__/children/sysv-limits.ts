// Runs into a limit of SysV shared memory, and tells what became of it.
//
//   sysv-limits.js DIRECTORY namespace|permission|unreadable|lock ID
import { PAGE_SIZE, type PagecastError, SysVSharedMemory } from 'pagecast'
import { removeQuietly } from '../helpers/sysv.js'
import { say } from './stage.js'

const [, limit = '', id = ''] = process.argv.slice(2)

function refusal(event: string, attempt: () => unknown): void {
  try {
    attempt()
    say(event, { code: 'none' })
  } catch (error) {
    const { code, message, syscall } = error as PagecastError
    say(event, { code, message, syscall })
  }
}

const make = (size: number, reserve = true) => SysVSharedMemory.get('private', { size, reserve })

const limits: Record<string, () => void> = {
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

limits[limit]?.()
