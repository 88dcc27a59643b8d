import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { PAGE_SIZE, Region, type RegionSource, type Reservation, SharedMemory } from 'pagecast'
import { hasHugePagesWhile, settingOf } from './helpers/huge-pages.js'
import { freeAddress, sparseFile } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { Tmpfs } from './helpers/tmpfs.js'

const SIZE = 8 * 2 ** 20
const HUGE = { size: SIZE, hugePages: true } as const

const MISPLACED = /hold no huge page, which is at a multiple of its [\d,]+ bytes, in memory and in a shared object/
/** Its pages for views begin anywhere, so that shared objects cannot have huge pages there. */
const isBun = 'bun' in process.versions

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

const displacements: Reservation[] = []

/** What the engine gets next begins so many times 64 KiB below where it would have. */
function displace(times: number): void {
  displacements.push(Region.reserve(12 * 2 ** 30 + times * 65_536))
}

const isLevel = ({ address }: { address: bigint }) => address % 0x20_0000n === 0n

/** Linux 6.7 to 6.12 begins all that is longer than a huge page as those do, whatever its length is. */
const kernelPlacesAll = () => displacements.every(isLevel)

function refused(t: ExecutionContext, map: () => Region, message: RegExp): void {
  t.throws(map, { code: 'ERR_HUGE_PAGES', message })
}

regions('private zeros are huge pages where the system has them', t => {
  const map = () => Region.map({ ...HUGE, sharing: 'private', populate: true })
  if (settingOf('enabled') === 'never') return refused(t, map, /transparent_hugepage\/enabled is "/)
  const all: Region[] = []
  const hasSome = hasHugePagesWhile(() => {
    for (let count = 0; count < 8; count++) all.push(map())
  })
  for (const { address } of all) t.is(smaps(address, 'THPeligible'), 1)
  const huge = all.map(region => smaps(region.address, 'AnonHugePages') ?? 0)
  if (!hasSome) t.log(`the system has none to give: ${huge}`)
  else
    t.true(
      huge.every(kilobytes => kilobytes >= 2048),
      `${huge}`,
    )
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
    else {
      using region = Region.map({ ...HUGE, source, reserve: false }) // or it may be collected while the list is read
      t.is(smaps(region.address, 'THPeligible'), 1)
    }
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
  for (const times of [1, 2, 5]) displace(times)
  using source = SharedMemory.open('huge', 'x', { directory: tmpfs.directory, size: SIZE, reserve: false })
  if (isBun) return refused(t, () => Region.map({ source, hugePages: true, reserve: false }), MISPLACED)
  const address = freeAddress()
  using region = Region.map({ source, address, hugePages: true, reserve: false })
  const hasSome = hasHugePagesWhile(() => region.bytes.fill(1))
  t.is(smaps(address, 'THPeligible'), 1)
  region.read()
  const mapped = smaps(address, 'ShmemPmdMapped') ?? 0
  if (!hasSome) t.log(`the system has none to give: ${mapped}`)
  else t.true(mapped >= 2048, `what was read through the address: ${mapped}`)
  t.is(new Uint8Array(region.sharedBuffer)[SIZE - 1], 1)
  region.resize(2 * SIZE)
  t.is(smaps(address + BigInt(2 * SIZE) - 1n, 'THPeligible'), 1, 'what it became longer by')
  t.is(smaps(address, 'Size'), (2 * SIZE) / 1024, 'is of one kind with the rest')

  using placed = Region.map({ source, hugePages: true, reserve: false })
  t.is(smaps(BigInt(placed.handle().address), 'THPeligible'), 1)
  if (!kernelPlacesAll()) {
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
  t.true(huge.every(isLevel), 'each is one whole huge page')
  if (kernelPlacesAll()) t.log('and so is all that this kernel places')
  else t.false(plain.every(isLevel), 'which others are only by luck')
  for (const { address } of huge) t.is(smaps(address, 'THPeligible'), 1)
  for (const region of [...huge, ...plain]) region.close()
})
