// Follows absolute pointers in regions that its test has at the same address, and makes a region for it.
//
//   region-handle.js DIRECTORY
import { PAGE_SIZE, Region, type RegionHandle } from 'pagecast'
import { point, pointedAt } from '../helpers/pointers.js'
import { codeOf, cue, say, stopListening } from './stage.js'

const words: Record<string, (handle: RegionHandle) => void> = {
  follow: handle => {
    using region = Region.fromHandle(handle)
    follow(region)
  },
  'follow-fd': handle => {
    const without = codeOf(() => Region.fromHandle(handle))
    using region = Region.fromHandle(handle, { fd: 3 })
    follow(region, { without })
  },
  /** Something is where the region would go: at its end, before its beginning, all over it. */
  taken: handle => {
    const address = BigInt(handle.address)
    const page = BigInt(PAGE_SIZE)
    const told: unknown[] = []
    for (const [at, size] of [
      [address + BigInt(handle.byteLength) - page, 2 * PAGE_SIZE],
      [address - page, 2 * PAGE_SIZE],
      [address, handle.byteLength],
    ] as const) {
      using there = Region.map({ size, address: at })
      there.bytes.fill(0xaa)
      told.push({ code: codeOf(() => Region.fromHandle(handle)), untouched: there.read().every(byte => byte === 0xaa) })
    }
    say('told', { told })
  },
  make: () => {
    made = Region.map({ size: 65_536 })
    const handle = made.handle()
    point(made, PAGE_SIZE, 'alive')
    say('made', { handle })
  },
  /** As shmutils: an absolute pointer to an integer goes from one process to the other. */
  count: handle => {
    using region = Region.fromHandle(handle)
    const [pointer = 0n] = region.view(BigUint64Array, 0, 1)
    const value = region.view(BigInt64Array, region.offsetOf(pointer), 1)
    const [was = 0n] = value
    for (let next = was; next <= 8900n; next++) value[0] = next
    say('counted', { was: String(was) })
  },
}

let made: Region | undefined

function follow(region: Region, facts: object = {}): void {
  const { word, at } = pointedAt(region)
  point(region, at + 2 * PAGE_SIZE, 'reply')
  say('followed', { word, at, address: String(region.address), ...facts })
}

say('ready')
for (let line = await cue(); line !== undefined; line = await cue()) {
  const [, word = '', handle = ''] = /^(\S+) ?(.*)$/.exec(line) ?? []
  words[word]?.(handle === '' ? undefined : JSON.parse(handle))
}
made?.close()
stopListening()
