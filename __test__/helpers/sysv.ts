import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { type SysVOptions, SysVSharedMemory } from 'pagecast'

let count = 0

/** Of this process's number: others have others, but for one that was killed and left something. */
const ours = (process.pid & 0xfffff) << 6

/** A key that nobody else has, whatever its first two bits are made. */
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
