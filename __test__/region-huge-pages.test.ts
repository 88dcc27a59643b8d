import { readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { PAGE_SIZE, Region, type RegionSource, SharedMemory } from 'pagecast'
import { sparseFile } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { Tmpfs } from './helpers/tmpfs.js'

const SETTINGS = '/sys/kernel/mm/transparent_hugepage'
const SIZE = 8 * 2 ** 20
const HUGE = { size: SIZE, hugePages: true } as const

const MISPLACED = /hold no huge page, which is at a multiple of its [\d,]+ bytes, in memory and in a shared object/
/** Its pages for views begin anywhere, so that shared objects cannot have huge pages there. */
const isBun = 'bun' in process.versions

const settingOf = (name: string): string => /\[(\w+)\]/.exec(readFileSync(join(SETTINGS, name), 'utf8'))?.[1] ?? ''

/** A number of the mapping with an address: /proc/self/smaps. */
function smaps(address: bigint, field: string): number | undefined {
  let isHere = false
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? []
    if (start !== undefined) isHere = BigInt(`0x${start}`) <= address && address < BigInt(`0x${end}`)
    else if (isHere && line.startsWith(`${field}:`)) return Number.parseInt(line.slice(field.length + 1), 10)
  }
  return undefined
}

/** How often the kernel had no huge page free when one was touched, or took one apart again, in all processes. */
function givenUp(...counters: string[]): number {
  const lines = readFileSync('/proc/vmstat', 'utf8').split('\n')
  return lines.map(line => line.split(' ')).reduce((sum, [name = '', count]) => sum + (counters.includes(name) ? Number(count) : 0), 0)
}

/** Linux 6.7 to 6.12, but for the last of them, begins whatever is longer than a huge page as those do. */
function mayBeginAll(): boolean {
  const [major, minor = 0] = release().split('.').map(Number)
  return major === 6 && minor >= 7 && minor <= 12
}

/** What the engine gets next begins so many times 64 KiB below where it would have. */
function displace(times: number): void {
  Region.reserve(12 * 2 ** 30 + times * 65_536)
}

function refused(t: ExecutionContext, map: () => Region, message: RegExp): void {
  t.throws(map, { code: 'ERR_HUGE_PAGES', message })
}

regions('private zeros are huge pages where the system has them', t => {
  const map = () => Region.map({ ...HUGE, sharing: 'private', populate: true })
  if (settingOf('enabled') === 'never') return refused(t, map, /transparent_hugepage\/enabled is "/)
  const counters = ['thp_fault_fallback', 'thp_split_pmd']
  const before = givenUp(...counters)
  const all = Array.from({ length: 8 }, map)
  for (const { address } of all) t.is(smaps(address, 'THPeligible'), 1)
  const huge = all.map(region => smaps(region.address, 'AnonHugePages') ?? 0)
  t.true(huge.some(kilobytes => kilobytes >= 2048) || givenUp(...counters) > before, `${huge}, and the kernel had some`)
  const [region] = all as [Region]
  region.bytes.fill(1)
  t.true(region.at(0, SIZE).every(byte => byte === 1))
  for (const region of all) region.close()
  if (settingOf('enabled') !== 'madvise') return
  using plain = Region.map({ size: SIZE, sharing: 'private', populate: true })
  t.is(smaps(plain.address, 'AnonHugePages'), 0, 'nobody asked')
})

regions('what can have no huge pages is refused, and says why', (t, { directory }) => {
  if (settingOf('enabled') === 'never') return refused(t, () => Region.map({ ...HUGE, sharing: 'private' }), /enabled is "/)
  refused(t, () => Region.map({ ...HUGE, sharing: 'private', size: PAGE_SIZE }), /: 4,096 bytes at 0x[0-9a-f]+ hold no huge page/)
  const file = sparseFile(directory, SIZE)
  const shared = settingOf('shmem_enabled')
  const forbids = ['never', 'deny'].includes(shared)
  const sources: RegionSource[] = ['anonymous', { memfd: 'huge' }]
  for (const source of sources) {
    if (isBun) refused(t, () => Region.map({ ...HUGE, source, reserve: false }), MISPLACED)
    else if (forbids) refused(t, () => Region.map({ ...HUGE, source, reserve: false }), /transparent_hugepage\/shmem_enabled is "/)
    else t.is(smaps(Region.map({ ...HUGE, source, reserve: false }).address, 'THPeligible'), 1)
  }
  refused(t, () => Region.map({ source: { file }, size: PAGE_SIZE, hugePages: true }), /asked for, and refused: /)
})

regions('every mapping of shared memory has them, or is refused', (t, { directory }) => {
  if (['never', 'deny'].includes(settingOf('enabled')) || settingOf('shmem_enabled') === 'deny') {
    t.pass('the system has none')
    return
  }
  const tmpfs = Tmpfs.mount(join(directory, 'mounted'), '64m,huge=advise')
  if (typeof tmpfs === 'string') {
    t.log(`skipped, ${tmpfs}`)
    t.pass()
    return
  }
  using _ = tmpfs
  displace(5)
  using source = SharedMemory.open('huge', 'x', { directory: tmpfs.directory, size: SIZE, reserve: false })
  if (isBun) return refused(t, () => Region.map({ source, hugePages: true, reserve: false }), MISPLACED)
  const address = 0x4f10_0000_0000n
  using region = Region.map({ source, address, hugePages: true, reserve: false })
  const counters = ['thp_file_fallback', 'thp_split_page']
  const before = givenUp(...counters)
  region.bytes.fill(1)
  t.is(smaps(address, 'THPeligible'), 1)
  region.read()
  const mapped = smaps(address, 'ShmemPmdMapped') ?? 0
  t.true(mapped >= 2048 || givenUp(...counters) > before, `${mapped} of what was read through the address, and the kernel had some`)
  t.is(new Uint8Array(region.sharedBuffer)[SIZE - 1], 1)
  region.resize(2 * SIZE)
  t.is(smaps(address + BigInt(2 * SIZE) - 1n, 'THPeligible'), 1, 'what it became longer by')
  t.is(smaps(address, 'Size'), (2 * SIZE) / 1024, 'is of one kind with the rest')

  using placed = Region.map({ source, hugePages: true, reserve: false })
  t.is(smaps(BigInt(placed.handle().address), 'THPeligible'), 1)
  if (!mayBeginAll()) {
    using later = Region.map({ source, hugePages: true, reserve: false, offset: 3 * 65_536 })
    t.is(later.bytes[0], 1)
  }
  const askew = { source, hugePages: true, reserve: false, offset: PAGE_SIZE } as const
  refused(t, () => Region.map(askew), MISPLACED)
  using plain = Region.map({ ...askew, hugePages: false })
  t.is(plain.bytes[0], 1)
})

regions('the place for huge pages is found wherever the engine would put its memory', t => {
  if (settingOf('enabled') === 'never' || isBun) {
    t.pass('there are none, or none can be found')
    return
  }
  const size = 2 * 2 ** 20
  const huge: Region[] = []
  const plain: Region[] = []
  for (let index = 1; index <= 20; index++) {
    displace(index)
    plain.push(Region.map({ size, sharing: 'private', reserve: false }))
    huge.push(Region.map({ size, sharing: 'private', reserve: false, hugePages: true }))
  }
  const isLevel = ({ address }: Region) => address % BigInt(size) === 0n
  t.true(huge.every(isLevel), 'each is one whole huge page')
  if (!mayBeginAll()) t.false(plain.every(isLevel), 'which others are only by luck')
  for (const { address } of huge) t.is(smaps(address, 'THPeligible'), 1)
  for (const region of [...huge, ...plain]) region.close()
})
