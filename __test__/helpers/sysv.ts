import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { type PagecastError, type SysVOptions, SysVSharedMemory } from 'pagecast'

let count = 0

/** Of this process's number: others have others, but for one that was killed and left something. */
const ours = (process.pid & 0xfffff) << 6

/** A key that nobody else has, also if its two highest bits are set. */
export function uniqueKey(): number {
  const taken = new Set(SysVSharedMemory.list().map(({ key }) => (key === 'private' ? 0 : key & 0x3fffffff)))
  while (taken.has(0x20000000 | ours | count)) count += 1
  if (count >= 64) throw new Error('the next key is that of the process of the next number')
  return (0x60000000 | ours | count++) >>> 0
}

/** A segment that goes with its test, also with one that fails: the kernel would keep it. */
export function segment(
  t: ExecutionContext,
  size: number,
  options: SysVOptions = {},
  key: number | 'private' = 'private',
): SysVSharedMemory {
  const memory = SysVSharedMemory.get(key, { create: true, exclusive: key !== 'private', size, ...options })
  t.teardown(() => removeQuietly(memory))
  return memory
}

export function removeQuietly(memory: SysVSharedMemory): void {
  try {
    memory.remove()
  } catch {
    // it is gone
  }
}

/** The columns of its line in `ipcs -m`: key, shmid, owner, perms, bytes, nattch, status. */
export function ipcs(id: number): string[] | undefined {
  const lines = execFileSync('ipcs', ['-m'], { encoding: 'utf8' }).split('\n')
  return lines.map(line => line.trim().split(/\s+/)).find(columns => columns[1] === String(id))
}

/** How many mappings of it this process has. */
export function mappings(id: number): number {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return lines.filter(line => line.includes('/SYSV') && line.split(/\s+/)[4] === String(id)).length
}

/** Nothing is there. */
export const missing = { code: 'ERR_NOT_FOUND' }

/** Takes a value of any type where the compiler would not. */
export const bad = (value: unknown) => value as never

/**
 * Of what a process that has ended had attached. Mostly that is so by then; but whoever looks into /proc at that moment, as ps(1) does, has its memory
 * a little longer.
 */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(1)
}

export function isGone(memory: SysVSharedMemory): boolean {
  try {
    memory.stat()
    return false
  } catch (error) {
    return (error as PagecastError).code === 'ERR_NOT_FOUND'
  }
}

/** The call throws an error with this code, and with words that begin like that. */
export function refused(t: ExecutionContext, code: string, subject: string, call: () => unknown): void {
  const error = t.throws(call, { code }, `${subject}: ${call}`) as PagecastError
  t.true(error.message.startsWith(subject), error.message)
}
