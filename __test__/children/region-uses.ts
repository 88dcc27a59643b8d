// What a program does with regions: the platform's own functions work on their bytes and shared buffers, and what cannot be is an error. In the main thread,
// and once more in a worker. A program of its own, because some runtimes cannot run the tests' runner:
//
//   node region-uses.js      bun region-uses.js
//
// Prints one line of JSON with the count of what was checked in each thread, and ends with 0.
import assert from 'node:assert/strict'
import { createCipheriv, createHash, createHmac, randomFillSync, timingSafeEqual } from 'node:crypto'
import {
  closeSync,
  createWriteStream,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readvSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { PAGE_SIZE, Region } from 'pagecast'

const SIZE = 1 << 18

let checks = 0

function check<T>(actual: T, expected: T, what: string): void {
  assert.deepStrictEqual(actual, expected, what)
  checks += 1
}

function refused(use: () => unknown, code: string): void {
  assert.throws(use, { code })
  checks += 1
}

const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0
const directory = isMainThread ? mkdtempSync('/dev/shm/pagecast-uses-') : (workerData as string)
const pathOf = (name: string) => join(directory, name)
const file = (name: string, byteLength: number, value: number): string => {
  writeFileSync(pathOf(name), new Uint8Array(byteLength).fill(value))
  return pathOf(name)
}

/** What no page repeats. */
function random(): Uint8Array {
  return randomFillSync(new Uint8Array(SIZE))
}

/** Plays it with the bytes of a region, and with its shared buffer; `other` shows the same memory by the other one. */
async function onBoth(use: (bytes: Uint8Array, other: Uint8Array) => Promise<void> | void): Promise<void> {
  using region = Region.map({ size: SIZE })
  const { bytes } = region
  const shared = new Uint8Array(region.sharedBuffer)
  await use(bytes, shared)
  await use(shared, bytes)
}

const uses: Record<string, () => Promise<void> | void> = {
  'text is encoded and decoded': () =>
    onBoth((bytes, other) => {
      check(new TextEncoder().encodeInto('grüße', bytes), { read: 5, written: 7 }, 'encoded')
      check(new TextDecoder().decode(other.subarray(0, 7)), 'grüße', 'decoded')
      check(Buffer.from(bytes.buffer, bytes.byteOffset, 7).toString(), 'grüße', 'by a Buffer')
      other.fill(0)
    }),

  'crypto reads and fills': () =>
    onBoth((bytes, other) => {
      randomFillSync(bytes, 0, 1 << 16)
      bytes.copyWithin(1 << 16, 0)
      const copy = bytes.slice()
      check(isSame(other, copy), true, 'filled')
      check(
        copy.some(byte => byte !== 0),
        true,
        'with something',
      )
      check(createHash('sha256').update(bytes).digest('hex'), createHash('sha256').update(copy).digest('hex'), 'hash')
      const mac = (of: Uint8Array) => createHmac('sha256', of.subarray(0, 32)).update(of).digest('hex')
      check(mac(bytes), mac(copy), 'hmac')
      const cipher = (of: Uint8Array) => createCipheriv('aes-128-ctr', of.subarray(0, 16), of.subarray(16, 32)).update(of)
      check(isSame(cipher(bytes), cipher(copy)), true, 'cipher')
      check([timingSafeEqual(bytes, copy), timingSafeEqual(bytes, copy.fill(0))], [true, false], 'compared')
    }),

  'fs reads and writes': () =>
    onBoth((bytes, other) => {
      const expected = random()
      bytes.set(expected)
      writeFileSync(pathOf('whole'), bytes)
      check(isSame(readFileSync(pathOf('whole')), expected), true, 'written')
      bytes.fill(0)
      const fd = openSync(pathOf('whole'), 'r+')
      check(readSync(fd, bytes, 0, SIZE, 0), SIZE, 'how many were read')
      check(isSame(other, expected), true, 'and they are there')
      check(writeSync(fd, bytes, 100, 50, 0), 50, 'a part is written')
      check(readvSync(fd, [bytes.subarray(0, 20), bytes.subarray(PAGE_SIZE, PAGE_SIZE + 30)], 0), 50, 'into two parts')
      check(isSame(other.subarray(PAGE_SIZE, PAGE_SIZE + 30), expected.subarray(120, 150)), true, 'the second')
      closeSync(fd)
    }),

  'the thread pool of fs reads and writes': () =>
    onBoth(async (bytes, other) => {
      const expected = random()
      bytes.set(expected)
      await writeFile(pathOf('promised'), bytes)
      check(isSame(readFileSync(pathOf('promised')), expected), true, 'written')
      bytes.fill(0)
      const handle = await open(pathOf('promised'), 'r+')
      check((await handle.read(bytes, 0, SIZE, 0)).bytesRead, SIZE, 'how many were read')
      check(isSame(other, expected), true, 'and they are there')
      check((await handle.write(bytes, 0, PAGE_SIZE, PAGE_SIZE)).bytesWritten, PAGE_SIZE, 'a part is written')
      await handle.close()
      const stream = createWriteStream(pathOf('stream'))
      stream.end(bytes)
      await finished(stream)
      check(isSame(readFileSync(pathOf('stream')), expected), true, 'by a stream')
    }),

  'a stream with a write under way ends, if the bytes are not detached': async () => {
    for (let round = 0; round < 10; round++) {
      const region = Region.map({ size: SIZE })
      const stream = createWriteStream(pathOf('under-way'))
      stream.end(region.bytes)
      region.close({ detach: false })
      await finished(stream)
      check(readFileSync(pathOf('under-way')).length, SIZE, 'all of it')
    }
  },

  'what is written where nobody may write reaches nobody': () => {
    for (const take of [(region: Region) => region.bytes, (region: Region) => new Uint8Array(region.sharedBuffer)]) {
      const path = file('read-only', SIZE, 1)
      using region = Region.map({ source: { file: path }, access: 'r' })
      const view = take(region)
      view[PAGE_SIZE] = 2
      refused(() => region.tell(), 'ERR_READ_ONLY')
      check([view[PAGE_SIZE], region.tell()], [1, 0], 'the shared byte again, and told once')
      view.fill(3)
      refused(() => region.at(0, 1), 'ERR_READ_ONLY')
      new TextEncoder().encodeInto('four', view)
      refused(() => region.view(Int32Array), 'ERR_READ_ONLY')
      refused(() => region.write(Uint8Array.of(5)), 'ERR_READ_ONLY')
      check(isSame(readFileSync(path), new Uint8Array(SIZE).fill(1)), true, 'the file is as it was')
      check(isSame(region.read(), new Uint8Array(SIZE).fill(1)), true, 'and so is the region')
    }
  },

  'a call of the system that is to write there is told, too': () => {
    const path = file('read-only', SIZE, 1)
    using region = Region.map({ source: { file: path }, access: 'r' })
    const fd = openSync(file('other', PAGE_SIZE, 2), 'r')
    assert.throws(() => readSync(fd, region.bytes, 0, PAGE_SIZE, 0), { code: 'EFAULT' })
    closeSync(fd)
    check(region.read(1)[0], 1, 'as it was')
  },

  'pages of access none show zeros': () => {
    using region = Region.map({ size: SIZE })
    region.bytes.fill(1)
    region.pages.slice(1, 2).protect('none')
    check([region.bytes[0], region.bytes[PAGE_SIZE]], [1, 0], 'one of them')
    refused(() => region.tell(), 'ERR_NO_ACCESS')
    region.pages.protect('rw')
    check(isSame(region.bytes, new Uint8Array(SIZE).fill(1)), true, 'what was there')
  },

  'what was cut off shows zeros': () => {
    for (const take of [(region: Region) => region.bytes, (region: Region) => new Uint8Array(region.sharedBuffer)]) {
      const path = file('cut', SIZE, 1)
      using other = Region.map({ source: { file: file('whole', SIZE, 1) } })
      using region = Region.map({ source: { file: path } })
      const view = take(region)
      truncateSync(path, PAGE_SIZE)
      check([view[0], view[PAGE_SIZE], view[SIZE - 1]], [1, 0, 0], 'zeros')
      view[SIZE - 1] = 2
      for (let times = 0; times < 2; times++) refused(() => region.tell(), 'ERR_TRUNCATED')
      refused(() => region.read(1), 'ERR_TRUNCATED')
      check(readFileSync(path).length, PAGE_SIZE, 'the file is as short as it was made')
      check(isSame(other.bytes, new Uint8Array(SIZE).fill(1)), true, 'others are as they were')
    }
  },

  'what was cut off is zeros for those who copy from it, too': () => {
    const path = file('cut', SIZE, 1)
    using region = Region.map({ source: { file: path } })
    const { bytes } = region
    truncateSync(path, 0)
    check(createHash('sha256').update(bytes).digest('hex'), createHash('sha256').update(new Uint8Array(SIZE)).digest('hex'), 'hash')
    refused(() => region.flush(), 'ERR_TRUNCATED')
  },
}

async function play(): Promise<number> {
  for (const [what, use] of Object.entries(uses)) {
    process.stderr.write(`${what}\n`)
    await use()
  }
  return checks
}

if (isMainThread) {
  try {
    const inMain = await play()
    const worker = new Worker(new URL(import.meta.url), { workerData: directory })
    const inWorker = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
    process.stdout.write(`${JSON.stringify({ event: 'done', inMain, inWorker })}\n`)
  } finally {
    rmSync(directory, { recursive: true })
  }
} else {
  parentPort?.postMessage(await play())
}
