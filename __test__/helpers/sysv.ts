import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { type SysVOptions, SysVSharedMemory } from 'pagecast'

let count = 0

/** A key that nobody else has: processes of other numbers have others. */
export function uniqueKey(): number {
  return (0x60000000 | ((process.pid & 0xfffff) << 6) | count++) >>> 0
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
