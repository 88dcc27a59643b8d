import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const SETTINGS = '/sys/kernel/mm/transparent_hugepage'

/** Of 2^9 pages a huge page is made. */
const ORDER = 9
/** More free huge pages than others are likely to take at the same moment, and than the kernel keeps for itself. */
const ENOUGH = 64

/** Which of its choices the system is set to. Empty: its kernel has no huge pages, or no such setting. */
export function settingOf(name: string): string {
  try {
    return /\[(\w+)\]/.exec(readFileSync(join(SETTINGS, name), 'utf8'))?.[1] ?? ''
  } catch {
    return ''
  }
}

/** Whether a page of a memfd that is touched brings that page alone. Otherwise it brings a huge one, where one is free. */
export function comesPageByPage(): boolean {
  return ['', 'never', 'deny', 'advise'].includes(settingOf('shmem_enabled'))
}

/** Free in the zones that ordinary memory comes from: proc_buddyinfo(5) has their free blocks of 1, 2, 4 ... pages. */
function freeHugePages(): number {
  const lines = readFileSync('/proc/buddyinfo', 'utf8').trim().split('\n')
  const ordinary = lines.filter(line => /zone +(Normal|Movable) /.test(line))
  const zones = ordinary.length > 0 ? ordinary : lines.filter(line => /zone +DMA32 /.test(line)) // a small machine has no other
  const counts = zones.map(line =>
    line
      .replace(/^.*zone +\S+/, '')
      .trim()
      .split(/\s+/)
      .map(Number),
  )
  return counts.reduce((sum, blocks) => sum + blocks.slice(ORDER).reduce((all, count, above) => all + count * 2 ** above, 0), 0)
}

/** How often the kernel would have given somebody a huge page, and had none: proc_vmstat(5). */
function fallbacks(): number {
  const counts = readFileSync('/proc/vmstat', 'utf8').matchAll(/^thp_\w*fallback\w* (\d+)$/gm)
  return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)
}

/** Whether the kernel had huge pages to give all the time that memory was touched: that it gives none is nobody's fault then but ours. */
export function hasHugePagesWhile(touch: () => void): boolean {
  const [free, before] = [freeHugePages(), fallbacks()]
  touch()
  return Math.min(free, freeHugePages()) >= ENOUGH && fallbacks() === before
}
