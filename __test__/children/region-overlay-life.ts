// How long arrays live over which something is mapped, and that their memory is freed only after that. A program of its own, because some runtimes cannot run
// the tests' runner, and because it needs the garbage collector:
//
//   node region-overlay-life.js [overlays]      bun region-overlay-life.js
//
// Prints one line of JSON with the count of what was checked, and ends with 0.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Overlay, PAGE_SIZE, Region } from 'pagecast'
import { arrayFor, detaching } from '../helpers/overlay.js'

const [amount = '5000'] = process.argv.slice(2)
let checks = 0

function check<T>(actual: T, expected: T, what: string): void {
  assert.deepStrictEqual(actual, expected, what)
  checks += 1
}

const descriptors = () => readdirSync('/proc/self/fd').length
const mappings = () => readFileSync('/proc/self/maps', 'utf8').split('\n').length

function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

// What is made in a function of its own leaves nothing on the stack.
const sizes = [2, 3, 8, 60, 250].map(pages => pages * PAGE_SIZE)
const sizeOf = (index: number) => sizes[index % sizes.length] as number
const overlay = (index: number) => Region.overlay(arrayFor(sizeOf(index)).fill(index), { source: 'memfd', keep: true })
const forget = (index: number) => Region.map({ source: { fd: overlay(index).fd } })

/** Whether all bytes are this one: each is as the one before it. */
const is = (bytes: Uint8Array, value: number) =>
  bytes.length === 0 || (bytes[0] === value && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0)

function openAndClose(index: number, keep: boolean): void {
  const made = overlay(index)
  const [begin, end] = [made.byteOffset, made.byteOffset + made.byteLength]
  const { array, bytes } = made
  check(is(bytes, index & 255), true, 'what was in the array is kept')
  if (keep) made[Symbol.dispose]()
  else made.close({ keep })
  check(is(bytes, keep ? index & 255 : 0), true, 'and so is what is in the object, if it is to be')
  check(
    is(array.subarray(0, begin), index & 255) && is(array.subarray(end), index & 255),
    true,
    'what is in no whole page is the array’s own',
  )
}

const gone = new Set<string>()
/** Of nobody's but the program's, or it would be collected itself. */
const registry = new FinalizationRegistry<string>(which => void gone.add(which))

/** An overlay of which nothing stays here but its descriptor's number. */
function watched(end: 'closed' | 'forgotten'): number {
  const made = overlay(0)
  const { array, fd } = made
  registry.register(array, `the array of one that was ${end}`)
  registry.register(array.buffer, `the memory of one that was ${end}`)
  if (end === 'closed') made.close()
  return fd
}

/** What of two overlays is collected, the one that was closed being the later. */
async function collected(gc: () => void): Promise<string[]> {
  const forgotten = watched('forgotten')
  watched('closed')
  while (gone.size < 2) {
    gc()
    await turn()
  }
  for (let round = 0; round < 20; round++) {
    gc()
    await turn()
  }
  check(readlinkSync(`/proc/self/fd/${forgotten}`).startsWith('/memfd:'), true, 'the one that was forgotten is there')
  return [...gone].sort()
}

async function live(gc: () => void): Promise<void> {
  const regions = Array.from({ length: 50 }, (_, index) => forget(index))
  const words = Array.from({ length: 50 }, (_, index) => overlay(index))
  for (const keep of [false, true]) {
    openAndClose(0, keep)
    gc()
    await turn()
    const [files, places] = [descriptors(), mappings()]
    for (let index = 0; index < Number(amount); index++) {
      openAndClose(index, keep)
      if (index % 50 === 0) await turn()
      if (index % 500 !== 499) continue
      gc()
      check(descriptors(), files, 'descriptors come back')
      for (const [at, region] of regions.entries()) {
        check(region.bytes[5], at, 'memory of an overlay that was forgotten is nobody else’s')
        const { bytes } = words[at] as Overlay<Uint8Array>
        check([bytes[0], bytes.at(-1)], [at, at], 'nor is that of one that was not')
      }
    }
    await turn()
    gc()
    if (keep) continue
    // the engine frees arrays when it comes to it
    while (mappings() >= places + 200) {
      gc()
      await turn()
    }
    check(mappings() < places + 200, true, 'and so do mappings')
  }
  for (const overlay of words) overlay.close()
  for (const region of regions) region.close()
  check(
    await collected(gc),
    ['the array of one that was closed', 'the memory of one that was closed'],
    'what is overlaid stays, and its array does',
  )
  const array = arrayFor(sizeOf(2))
  const last = Region.overlay(array)
  check(await detaching(() => array.buffer), [], 'nothing takes the memory away')
  last.close()
}

if ('bun' in process.versions) {
  assert.throws(() => Region.overlay(new Uint8Array(65_536)), { code: 'ERR_UNSUPPORTED' })
  checks += 1
} else {
  await live(collector())
}
process.stdout.write(`${JSON.stringify({ event: 'done', checks })}\n`)
