// Runs into a limit of the system with regions, as a user who may not pass it, and tells what became of it.
//
//   region-limits.js DIRECTORY lock|permission|engine|address-space
import { join } from 'node:path'
import { PAGE_SIZE, type PagecastError, Region, SharedMemory } from 'pagecast'
import { holdings } from '../helpers/holdings.js'
import { say } from './stage.js'

const [directory = '', limit = ''] = process.argv.slice(2)

function refusal(event: string, attempt: () => unknown): void {
  try {
    attempt()
    say(event, { code: 'none' })
  } catch (error) {
    const { code, message } = error as PagecastError
    say(event, { code, message })
  }
}

if (['lock', 'permission'].includes(limit) && process.getuid?.() === 0) process.setuid?.(65534) // who owns nothing, and may not pass limits

/** As many regions as there is room for. */
function fill(size: number): Region[] {
  const regions: Region[] = []
  try {
    for (;;) regions.push(Region.map({ size }))
  } catch {
    return regions
  }
}

const limits: Record<string, () => void> = {
  lock: () => {
    using small = Region.map({ size: PAGE_SIZE, lock: true })
    say('small', { byteLength: small.byteLength })
    const before = holdings(directory).descriptors
    refusal('map', () => Region.map({ size: 2 ** 20, lock: true }))
    const left = holdings(directory).descriptors - before
    using large = Region.map({ size: 2 ** 20 })
    refusal('lock', () => large.pages.lock())
    say('left', { left })
  },
  engine: () => {
    refusal('map', () => Region.map({ source: { file: join(directory, 'new'), create: true }, size: 1 }))
    refusal('existing', () => Region.map({ source: { file: join(directory, 'file') } }))
    const { address } = Region.reserve(PAGE_SIZE)
    using region = Region.map({ size: PAGE_SIZE, sharing: 'private', address, placement: 'replace' })
    region.write(Uint8Array.of(1, 2))
    region.seek(0)
    say('written', { bytes: [...region.read(3)] })
  },
  'address-space': () => {
    const size = 2 ** 30 // engines differ in how much more than that they take for each
    const first = Region.map({ size })
    const others = fill(size)
    const before = holdings(directory)
    refusal('map', () => Region.map({ source: { file: join(directory, 'new'), create: true }, size }))
    refusal('existing', () => Region.map({ source: { file: join(directory, 'sparse') } }))
    refusal('shared', () => first.sharedBuffer)
    refusal('resize', () => first.resize(2 * size))
    first.bytes[0] = 9
    say('left', { before, after: holdings(directory), byte: first.read(1)[0], byteLength: first.byteLength })
    for (const region of others) region.close()
  },
  permission: () => {
    const file = join(directory, 'file')
    refusal('write', () => Region.map({ source: { file } }))
    refusal('create', () => Region.map({ source: { file: join(directory, 'new'), create: true }, size: 1 }))
    refusal('shm', () => SharedMemory.open('file', 'r+', { directory }))
    refusal('make', () => SharedMemory.open('new', 'x', { directory, size: 1 }))
    refusal('unlink', () => SharedMemory.unlink('file', { directory }))
    using region = Region.map({ source: { file }, access: 'r' })
    refusal('protect', () => region.pages.protect('rw'))
    using copy = Region.map({ source: { file }, access: 'r', sharing: 'private' })
    copy.pages.protect('rw')
    copy.bytes[0] = 2
    say('read', { bytes: [region.bytes[0], copy.bytes[0]] })
  },
}

limits[limit]?.()
