// How long the memory of regions lives, and that nothing of it is used once it is gone. A program of its own, because some runtimes cannot run the
// tests' runner, and because it needs the garbage collector:
//
//   node region-life.js [regions]      bun region-life.js [regions]
//
// Prints one line of JSON with the count of what was checked, and ends with 0.
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { deflate, inflateSync } from 'node:zlib'
import { PAGE_SIZE, Region } from 'pagecast'

const [amount = '20000'] = process.argv.slice(2)
const { Bun: bun } = globalThis as { Bun?: { gc(force: boolean): void } }

/** With Bun a region is held until it is closed, or its thread ends. */
const isCollected = bun === undefined

let checks = 0

function check<T>(actual: T, expected: T, what: string): void {
  assert.deepStrictEqual(actual, expected, what)
  checks += 1
}

function collector(): () => void {
  if (bun !== undefined) return () => bun.gc(true)
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

/** What the regions of a process hold at most, and what the runtime itself has open. */
const MOST_DESCRIPTORS = 512 + 50

/** How many are dropped where they may stay: more than may have descriptors. */
const MOST_DROPPED = 1000

const descriptors = () => readdirSync('/proc/self/fd').length

/** Collects until it is so; what collects never is for the caller's watchdog. */
async function until(gc: () => void, isSo: () => boolean): Promise<void> {
  for (;;) {
    gc()
    await turn()
    if (isSo()) return
  }
}

const directory = isMainThread ? mkdtempSync('/dev/shm/pagecast-life-') : ''
const file = (name: string, byteLength: number, value = 0): string => {
  const path = join(directory, name)
  writeFileSync(path, new Uint8Array(byteLength).fill(value))
  return path
}

function byteOf(path: string, position: number): number | undefined {
  const fd = openSync(path, 'r')
  const target = new Uint8Array(1)
  readSync(fd, target, 0, 1, position)
  closeSync(fd)
  return target[0]
}

// What is made in a function of its own leaves nothing on the stack.
const closeWatched = (region: Region, registry: FinalizationRegistry<undefined>) => {
  for (const buffer of [region.bytes.buffer, region.sharedBuffer]) registry.register(buffer, undefined)
  region.close()
}

const dropReader = (path: string) => {
  check(Region.map({ source: { file: path }, access: 'r' }).bytes[0], 1, 'read')
}

const dropRegion = (byteLength: number) => void Region.map({ size: byteLength }).bytes.fill(1)

/** Uses memory that the engine gives away again: what was collected or, with Bun, closed. */
const reuse = (byteLength: number) => {
  if (isCollected) return dropRegion(byteLength)
  using region = Region.map({ size: byteLength })
  region.bytes.fill(1)
}
const dropShared = () => void new Uint8Array(Region.map({ size: 65_536 }).sharedBuffer).fill(1)
const keepBytes = (path: string) => Region.map({ source: { file: path } }).bytes
const keepShared = (path: string) => Region.map({ source: { file: path } }).sharedBuffer
const keepView = (path: string) => Region.map({ source: { file: path } }).view(Int32Array, 8, 2)

const lives: Record<string, (gc: () => void) => Promise<void> | void> = {
  'bytes, views and shared buffers keep what they show': async gc => {
    const [a, b, c] = [file('bytes', 65_536), file('shared', 65_536), file('view', 65_536)]
    const bytes = keepBytes(a)
    const shared = new Uint8Array(keepShared(b))
    const view = keepView(c)
    for (let round = 1; round < 20; round++) {
      reuse(65_536)
      gc()
      await turn()
      bytes[100] = round
      shared[100] = round
      view[1] = round
      check([byteOf(a, 100), byteOf(b, 100), byteOf(c, 12)], [round, round, round], `round ${round}: written through to the file`)
    }
  },

  'regions that nobody closes are collected, and give back all they have': async gc => {
    const path = file('alive', 65_536)
    const alive = Array.from({ length: 20 }, () => keepBytes(path))
    const words = Array.from({ length: 20 }, (_, index) => Region.map({ size: 65_536 }).bytes.fill(index + 1))
    await until(gc, () => true)
    const before = descriptors()
    for (let dropped = 0; dropped < Number(amount); dropped++) {
      reuse(1 + (dropped % 3) * 65_536)
      if (dropped % 100 === 99) await turn()
      if (dropped % 2000 === 1999)
        check(
          words.every((bytes, index) => bytes[65_535] === index + 1),
          true,
          `others stay, ${dropped}`,
        )
    }
    await until(gc, () => descriptors() <= before + 5)
    check(descriptors() <= before + 5, true, 'their descriptors come back')
    for (const [index, bytes] of alive.entries()) bytes[index] = index
    for (const index of alive.keys())
      check([byteOf(path, index), alive[0]?.[index]], [index, index], 'those that are reached are still mapped')
  },

  'regions that are dropped with shared buffers are collected': async gc => {
    if (!isCollected) return
    await until(gc, () => true)
    const before = descriptors()
    for (let batch = 0; batch < Number(amount) / 1000; batch++) {
      for (let dropped = 0; dropped < 100; dropped++) dropShared()
      await until(gc, () => descriptors() <= before + 5)
    }
    check(descriptors() <= before + 5, true, 'descriptors come back')
  },

  'what is collected leaves files as they are': async gc => {
    const paths = Array.from({ length: 20 }, (_, index) => file(`left-${index}`, 65_536, 0xaa))
    for (const take of [keepBytes, keepView]) {
      for (const path of [...paths, ...paths.slice(0, 5)]) void take(path)
      for (let round = 0; round < 3; round++) {
        gc()
        await turn()
        for (let drops = 0; drops < 50; drops++) reuse(65_536) // what the engine gives away again
      }
      const spoiled = paths.filter(path => readFileSync(path).some(byte => byte !== 0xaa))
      check(spoiled, [], 'nobody wrote to them')
    }
  },

  'regions where collected ones were hear of what happens to their own pages': async gc => {
    const path = file('again', 65_536, 1)
    for (let round = 0; round < 10; round++) {
      for (let dropped = 0; dropped < 20; dropped++) dropReader(path)
      gc() // and no turn: their memory is gone, and their end not heard of
      const regions = Array.from({ length: 20 }, () => Region.map({ source: { file: path }, access: 'r' }))
      if (round % 2 === 0) await turn()
      for (const region of regions) {
        region.bytes[0] = 2
        assert.throws(() => region.tell(), { code: 'ERR_READ_ONLY' })
        check(region.bytes[0], 1, 'the shared byte again')
        region.close()
      }
      await turn()
    }
  },

  'a closed region that is kept keeps none of the engine’s memory': async gc => {
    const region = Region.map({ size: 65_536 })
    let kept = 2
    const registry = new FinalizationRegistry(() => {
      kept -= 1
    })
    closeWatched(region, registry)
    await until(gc, () => kept === 0)
    check(region.closed, true, 'kept')
  },

  'closing takes everything away': () => {
    const path = file('closed', 65_536)
    for (let round = 0; round < 200; round++) {
      const region = Region.map({ source: { file: path } })
      const { bytes } = region
      const shared = new Uint8Array(region.sharedBuffer)
      const words = region.view(Int32Array)
      bytes[0] = 7
      region.close()
      check([bytes.length, words.length, bytes.byteOffset, shared[0]], [0, 0, 0, 0], 'views are empty, shared ones zero')
      assert.throws(() => Atomics.load(words, 0))
      shared[0] = 9
      check(byteOf(path, 0), 7, 'what is written then goes nowhere')
    }
  },

  'jobs of the thread pool may be under way': async gc => {
    for (let round = 0; round < 20; round++) {
      const region = Region.map({ size: 2 ** 20 })
      region.bytes.fill(round)
      const jobs = Array.from({ length: 8 }, (_, job) =>
        promisify(deflate)(job % 2 ? region.bytes : new Uint8Array(region.sharedBuffer), { level: 1 }),
      )
      if (round % 2 === 0) await turn()
      region.close()
      if (round % 3 === 0) gc()
      reuse(2 ** 20)
      for (const job of await Promise.all(jobs)) check(inflateSync(job).length, 2 ** 20, 'a job ends')
    }
  },

  'jobs that look at their input again go on, if it is not detached': async gc => {
    for (let round = 0; round < 10; round++) {
      const size = 2 ** 20
      const region = Region.map({ size })
      const { bytes } = region
      for (let at = 0; at < size; at += 65_536) randomFillSync(bytes, at, 65_536)
      const jobs = Array.from({ length: 4 }, () => promisify(deflate)(bytes, { level: 1 }))
      if (round % 2 === 0) await turn()
      region.close({ detach: false })
      check(bytes.length, size, 'it was not detached')
      check(
        bytes.every(byte => byte === 0),
        true,
        'it shows zeros',
      )
      if (round % 3 === 0) gc()
      reuse(size)
      for (const job of await Promise.all(jobs)) check(inflateSync(job).length, size, 'a job ends')
      bytes[0] = 1 // nobody's but this program's
    }
  },

  'several threads may use pages of access none at the same moment': async () => {
    const path = file('none', 1 << 20, 1)
    for (let round = 0; round < 20; round++) {
      const region = Region.map({ source: { file: path } })
      const jobs = Array.from({ length: 4 }, () => promisify(deflate)(region.bytes))
      region.pages.protect('none')
      for (const job of jobs) check(inflateSync(await job).length, 1 << 20, 'compressed')
      region.close()
    }
  },

  'jobs of regions that are dropped read what was there': async gc => {
    for (let round = 1; round < 20; round++) {
      const start = () => {
        const { bytes } = Region.map({ size: 2 ** 20 })
        return promisify(deflate)(bytes.fill(round), { level: 1 })
      }
      const job = start()
      gc()
      const result = inflateSync(await job)
      check(
        result.every(byte => byte === round),
        true,
        'nothing was taken away under it',
      )
    }
  },

  'a worker may be reading and writing': async gc => {
    for (let round = 0; round < 5; round++) {
      const region = Region.map({ size: 65_536 })
      const worker = await workerOf('spin', region.sharedBuffer)
      while (Atomics.load(region.view(Int32Array), 0) === 0) await turn()
      region.close()
      gc()
      for (let drops = 0; drops < 50; drops++) reuse(65_536)
      await turn()
      check(await answerOf(worker, 'stop'), 'stopped', 'it lives on')
      await worker.terminate()
    }
  },

  'a worker keeps what was posted to it': async gc => {
    const path = file('posted', 65_536)
    const post = async () => await workerOf('poke', keepShared(path))
    const worker = await post()
    for (let round = 1; round < 5; round++) {
      for (let drops = 0; drops < 200; drops++) reuse(65_536)
      gc()
      await turn()
      check(await answerOf(worker, round), round, 'it wrote')
      check(byteOf(path, 0), round, 'and the file has it')
    }
    await worker.terminate()
  },

  'a worker that ends takes its regions with it': async () => {
    const before = descriptors()
    const path = file('worker', 65_536, 0xaa)
    for (const how of ['end', 'terminate']) {
      const worker = await workerOf('own', new SharedArrayBuffer(0), path)
      check(await answerOf(worker, 'count'), 40, 'it has regions')
      await endOf(worker, how)
    }
    while (descriptors() > before + 5) await turn()
    check(
      readFileSync(path).every(byte => byte === 0xaa),
      true,
      'nobody wrote to its file',
    )
    check(descriptors() <= before + 5, true, 'descriptors come back')
  },

  'regions that a worker never closes go with it': async () => {
    const before = descriptors()
    const path = file('dropped', 65_536, 0xaa)
    const words = Region.map({ size: 65_536 }).bytes.fill(7)
    for (const how of ['end', 'terminate']) {
      const worker = await workerOf('drop', new SharedArrayBuffer(0), path)
      for (let round = 0; round < 4; round++) {
        check(await answerOf(worker, Math.ceil(Math.min(Number(amount), MOST_DROPPED) / 4)), 'dropped', 'it lives on')
        check(descriptors() <= MOST_DESCRIPTORS, true, `${descriptors()} descriptors`)
      }
      await endOf(worker, how)
      while (descriptors() > before + 5) await turn()
      check(descriptors() <= before + 5, true, 'descriptors come back')
    }
    check(
      readFileSync(path).every(byte => byte === 0xaa),
      true,
      'nobody wrote to its file',
    )
    check(
      words.every(byte => byte === 7),
      true,
      'nor to the memory of others',
    )
  },

  'what is detached stays': async gc => {
    const path = file('detached', 65_536)
    const detach = () => Region.map({ source: { file: path } }).detach().address
    const bytes = (() => Region.map({ source: { file: path } }).detach().bytes)()
    check(typeof detach(), 'bigint', 'its address')
    gc()
    await turn()
    gc()
    bytes[3] = 33
    check(byteOf(path, 3), 33, 'it is still the file')
  },

  'resizing lets go of what was before': async gc => {
    const region = Region.map({ source: 'memfd', size: PAGE_SIZE })
    const before = descriptors()
    const buffers: Uint8Array[] = []
    for (let round = 1; round < 300; round++) {
      buffers.push(region.bytes)
      region.resize(PAGE_SIZE * (1 + (round % 40)))
      region.bytes[0] = round & 255
      if (round % 50 === 0) gc()
    }
    check(
      buffers.every(bytes => bytes.length === 0),
      true,
      'views of before are empty',
    )
    check(region.read(1)[0], 299 & 255, 'and the memory is the same')
    check(descriptors() <= before, true, 'and no descriptor is lost')
    await turn()
    region.close()
  },

  'reservations and what is in them': async gc => {
    const reserve = () => {
      const space = Region.reserve(64 * PAGE_SIZE)
      return Region.map({ size: PAGE_SIZE, address: space.address + BigInt(PAGE_SIZE), placement: 'replace' })
    }
    const regions = Array.from({ length: 20 }, reserve)
    for (let round = 0; round < 5; round++) {
      gc()
      await turn()
      for (const [index, region] of regions.entries()) {
        region.bytes[0] = index
        region.seek(0)
        check(region.read(1)[0], index, 'in a reservation that was forgotten')
      }
    }
    for (const region of regions) region.close()
  },

  // The last, as with Bun all of them stay: regions that are mapped after them give up their descriptors.
  'regions that nobody closes keep what they show, and few descriptors': async gc => {
    const path = file('many', 65_536)
    const views = Array.from({ length: 20 }, () => keepBytes(path))
    const words = Array.from({ length: 20 }, (_, index) => Region.map({ size: 65_536 }).bytes.fill(index + 1))
    for (let dropped = 0; dropped < 20; dropped++) dropShared() // before there are so many that they have no descriptor to be mapped by
    for (let dropped = 1; dropped <= Math.min(Number(amount), MOST_DROPPED); dropped++) {
      dropRegion(1 + (dropped % 3) * 65_536)
      void keepView(path)
      if (dropped % 100 !== 0) continue
      gc()
      await turn()
      check(descriptors() <= MOST_DESCRIPTORS, true, `${descriptors()} descriptors`)
    }
    check(
      words.every((bytes, index) => bytes.every(byte => byte === index + 1)),
      true,
      'others are as they were',
    )
    for (const [index, bytes] of views.entries()) bytes[index] = index + 1
    const expected = Uint8Array.from({ length: 65_536 }, (_, index) => (index < 20 ? index + 1 : 0))
    check(Buffer.compare(readFileSync(path), expected), 0, 'what is written comes to the file, and nothing else')
    using region = Region.map({ source: { file: path } })
    check(Buffer.compare(region.bytes, expected), 0, 'one more is mapped')
  },
}

async function workerOf(role: string, sharedBuffer: SharedArrayBuffer, path = ''): Promise<Worker> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { role, sharedBuffer, path } })
  check(await new Promise(resolve => worker.once('message', resolve)), 'ready', 'a worker starts')
  return worker
}

async function answerOf(worker: Worker, word: unknown): Promise<unknown> {
  const answer = new Promise(resolve => worker.once('message', resolve))
  worker.postMessage(word)
  return await answer
}

async function endOf(worker: Worker, how: string): Promise<void> {
  if (how === 'terminate') return void (await worker.terminate())
  const gone = new Promise(resolve => worker.once('exit', resolve))
  worker.postMessage('end')
  await gone
}

/** What the garbage collector of a worker must not let go of. */
const kept: Region[] = []

const roles: Record<string, (sharedBuffer: SharedArrayBuffer, path: string) => void> = {
  spin: sharedBuffer => {
    const words = new Int32Array(sharedBuffer)
    let isOver = false
    parentPort?.once('message', () => {
      isOver = true
    })
    const spin = () => {
      for (let times = 0; times < 100_000; times++) Atomics.add(words, times & 1023, 1)
      if (!isOver) return void setImmediate(spin)
      parentPort?.postMessage('stopped')
    }
    spin()
  },
  poke: sharedBuffer => {
    const bytes = new Uint8Array(sharedBuffer)
    parentPort?.on('message', (value: number) => {
      bytes[0] = value
      parentPort?.postMessage(bytes[0])
    })
  },
  drop: (_, path) => {
    const gc = collector()
    for (let dropped = 0; dropped < 20; dropped++) dropShared()
    parentPort?.on('message', word => {
      if (word === 'end') return void parentPort?.close()
      for (let dropped = 0; dropped < word; dropped++) {
        dropRegion(1 + (dropped % 3) * 65_536)
        void keepView(path)
        if (dropped % 50 === 0) gc()
      }
      parentPort?.postMessage('dropped')
    })
  },
  own: (_, path) => {
    const mapped = Array.from({ length: 10 }, () => Region.map({ source: { file: path } }))
    for (let index = 0; index < 40; index++) kept.push(Region.map({ size: 65_536 }))
    for (const region of kept) new Uint8Array(region.sharedBuffer)[0] = 1
    for (const region of mapped.slice(5)) void region.sharedBuffer
    parentPort?.on('message', word => {
      if (word === 'end') parentPort?.close()
      else parentPort?.postMessage(kept.filter(region => region.bytes[0] === 1 && mapped.every(({ bytes }) => bytes[0] === 0xaa)).length)
    })
  },
}

if (isMainThread) {
  const gc = collector()
  try {
    for (const [what, live] of Object.entries(lives)) {
      process.stderr.write(`${what}\n`)
      await live(gc)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
  process.stdout.write(`${JSON.stringify({ event: 'done', checks })}\n`)
} else {
  const { role, sharedBuffer, path } = workerData as { role: string; sharedBuffer: SharedArrayBuffer; path: string }
  parentPort?.postMessage('ready')
  roles[role]?.(sharedBuffer, path)
}
