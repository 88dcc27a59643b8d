import { createHash, randomFillSync } from 'node:crypto'
import { readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { deflate, gzipSync, inflateSync } from 'node:zlib'
import { PAGE_SIZE, Region } from 'pagecast'
import { fileOf, pathOf, pattern, sparseFile } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { Cast } from './helpers/workers.js'

regions('a shared buffer is the same pages', (t, { directory }) => {
  const file = fileOf(directory, pattern(65_536 * 2))
  using region = Region.map({ source: { file } })
  const { sharedBuffer } = region
  t.true(sharedBuffer instanceof SharedArrayBuffer)
  t.is(sharedBuffer.byteLength, 65_536 * 2)
  t.is(region.sharedBuffer, sharedBuffer, 'the same each time')
  const bytes = new Uint8Array(sharedBuffer)
  t.deepEqual(bytes, pattern(65_536 * 2))
  bytes[65_536] = 0
  region.bytes[70_000] = 0
  t.is(region.bytes[65_536], 0)
  t.is(bytes[70_000], 0)
  const words = new Int32Array(sharedBuffer)
  Atomics.store(words, 3, 123_456)
  t.is(region.view(Int32Array)[3], 123_456)
  t.is(Atomics.add(region.view(Int32Array), 3, 1), 123_456)
  t.is(Atomics.load(words, 3), 123_457)
})

regions('a shared buffer of an odd size', (t, { directory }) => {
  const odd = { code: 'ERR_INVALID_SIZE', message: /privateTail/ }
  for (const size of [1, PAGE_SIZE, 65_537, 100_000]) {
    const file = sparseFile(directory, size, `${size}`)
    using strict = Region.map({ source: { file } })
    t.throws(() => strict.sharedBuffer, odd)
    using memfd = Region.map({ source: 'memfd', size })
    t.throws(() => memfd.sharedBuffer, odd)
    using region = Region.map({ source: { file }, privateTail: true })
    using anonymous = Region.map({ size })
    for (const { bytes, sharedBuffer, byteLength } of [region, anonymous]) {
      t.is(byteLength, size)
      t.is(sharedBuffer.byteLength, Math.ceil(size / 65_536) * 65_536)
      const shared = new Uint8Array(sharedBuffer)
      shared[size - 1] = 5
      t.is(bytes[size - 1], 5)
      shared[shared.length - 1] = 6
      t.is(shared[shared.length - 1], 6)
    }
    t.is(readFileSync(file).length, size)
  }
})

regions('a private one has none, and neither has half of an object', (t, { directory }) => {
  using region = Region.map({ size: 65_536, sharing: 'private' })
  t.throws(() => region.sharedBuffer, { code: 'ERR_PRIVATE' })
  using part = Region.map({ source: { file: sparseFile(directory, 65_536 * 3) }, offset: PAGE_SIZE, size: 65_536 })
  new Uint8Array(part.sharedBuffer)[0] = 7
  t.is(part.bytes[0], 7)
})

regions('workers wait for each other on a shared buffer', async t => {
  using region = Region.map({ size: 65_536 })
  const { sharedBuffer } = region
  const worker = new Cast('region-worker', { role: 'echo', sharedBuffer })
  await worker.says('ready')
  const words = new Int32Array(sharedBuffer)
  for (let round = 1; round <= 1000; round++) {
    words[1] = round * 3
    Atomics.store(words, 0, round)
    Atomics.notify(words, 0)
    while (Atomics.load(words, 2) === round - 1) Atomics.wait(words, 2, round - 1) // the wake-up of the round before may come as late as that
    t.is(Atomics.load(words, 2), round)
  }
  t.is(region.view(Int32Array)[3], 1000 * 3)
  Atomics.store(words, 0, -1)
  Atomics.notify(words, 0)
  await worker.end()
})

regions('workers count together without losing one', async t => {
  using region = Region.map({ size: 65_536 })
  const { sharedBuffer } = region
  const workers = [1, 2, 3].map(() => new Cast('region-worker', { role: 'count', sharedBuffer, times: 20_000 }))
  const words = region.view(Int32Array)
  for (let times = 0; times < 20_000; times++) Atomics.add(words, 0, 1)
  for (const worker of workers) await worker.end()
  t.is(words[0], 80_000)
})

regions('a worker maps the same file by itself', async (t, { directory }) => {
  const file = sparseFile(directory, PAGE_SIZE)
  using region = Region.map({ source: { file } })
  const worker = new Cast('region-worker', { role: 'map', file })
  t.like(await worker.says('mapped'), { byteLength: PAGE_SIZE })
  t.is(region.bytes[0], 42)
  await worker.end()
  region.bytes[1] = 1
  t.is(readFileSync(file)[1], 1)
})

regions('the platform’s own functions take its bytes', async (t, { directory }) => {
  using region = Region.map({ size: 100_000 })
  const { bytes } = region
  const expected = pattern(100_000)
  bytes.set(expected)
  t.is(createHash('sha256').update(bytes).digest('hex'), createHash('sha256').update(expected).digest('hex'))
  t.deepEqual(new Uint8Array(inflateSync(await promisify(deflate)(bytes))), expected)
  t.deepEqual(gzipSync(bytes), gzipSync(expected))
  const copy = pathOf(directory, 'copy')
  writeFileSync(copy, bytes)
  t.deepEqual(new Uint8Array(readFileSync(copy)), expected)
  bytes.fill(0)
  const fd = Region.map({ source: { file: copy } })
  t.is(readSync(fd.fd, bytes, 0, bytes.length, 0), 100_000)
  t.deepEqual(bytes, expected)
  t.is(writeSync(fd.fd, bytes, 10, 5, 0), 5)
  t.deepEqual(fd.at(0, 5), expected.subarray(10, 15))
  fd.close()
  bytes.set(new TextEncoder().encode('grüße'))
  t.is(new TextDecoder().decode(region.at(0, 7)), 'grüße')
  t.is(Buffer.from(bytes.buffer, bytes.byteOffset, 3).toString(), 'gr\u{fffd}')
  t.deepEqual(new TextEncoder().encodeInto('abc', bytes), { read: 3, written: 3 })
  t.is(Buffer.from(bytes.buffer).toString('latin1', 0, 3), 'abc')
  t.deepEqual(structuredClone(region.at(0, 3)), region.at(0, 3))
})

regions('text is decoded from a shared buffer, too', t => {
  using region = Region.map({ size: 65_536 })
  const shared = new Uint8Array(region.sharedBuffer)
  region.bytes.set(new TextEncoder().encode('shared'))
  t.is(new TextDecoder().decode(shared.subarray(0, 6)), 'shared')
  t.is(Buffer.from(region.sharedBuffer, 0, 6).toString(), 'shared')
})

regions('what is posted to a worker stays mapped for it', async t => {
  const post = () => {
    const region = Region.map({ size: 65_536 })
    region.bytes.fill(8)
    const worker = new Cast('region-worker', { role: 'look', sharedBuffer: region.sharedBuffer })
    return { region, worker }
  }
  const { region, worker } = post()
  t.like(await worker.says('seen'), { byte: 8 })
  region.bytes.fill(9)
  worker.tell('look')
  t.like(await worker.says('seen'), { byte: 9 })
  region.close()
  worker.tell('look')
  t.like(await worker.says('seen'), { byte: 0 })
  worker.tell('end')
  await worker.end()
})

regions('a copy is what a worker gets of bytes that are not shared', async t => {
  using region = Region.map({ size: PAGE_SIZE })
  region.bytes.fill(3)
  const file = fileURLToPath(new URL('./children/region-worker.js', import.meta.url))
  const worker = new Worker(file, { workerData: { role: 'bytes', bytes: region.at(0, 8) } })
  const message = await new Promise<{ sum: number }>(resolve => worker.once('message', resolve))
  t.is(message.sum, 24)
  t.is(region.bytes.length, PAGE_SIZE)
  await worker.terminate()
})

regions('zlib goes on with a shared buffer when the region is closed, however much it has to do', async t => {
  const size = 2 ** 20
  const region = Region.map({ size })
  const { bytes, sharedBuffer } = region
  for (let at = 0; at < size; at += 65_536) randomFillSync(bytes, at, 65_536)
  const jobs = Array.from({ length: 8 }, () => promisify(deflate)(new Uint8Array(sharedBuffer)))
  region.close()
  for (const job of jobs) t.is(inflateSync(await job).length, size)
})

regions('a device is mapped once: nobody says that two mappings are the same memory', t => {
  using region = Region.map({ source: { file: '/dev/zero' }, size: 65_536 })
  region.bytes[0] = 1
  t.throws(() => region.sharedBuffer, { code: 'ERR_PRIVATE' })
  using space = Region.reserve(65_536)
  using placed = Region.map({ source: { file: '/dev/zero' }, size: 65_536, address: space.address, placement: 'replace' })
  t.throws(() => placed.bytes, { code: 'ERR_PRIVATE' })
  placed.write(Uint8Array.of(7))
  placed.seek(0)
  t.deepEqual(placed.read(1), Uint8Array.of(7))
})
