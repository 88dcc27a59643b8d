import { readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { bytes, Consumer, Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

const disposed = { code: 'ERR_DISPOSED' }

scene('a publisher that was closed does nothing more', (t, { directory }) => {
  const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  publisher[Symbol.dispose]()
  publisher[Symbol.dispose]()
  publisher.close()
  t.throws(() => publisher.write(pose(2)), disposed)
  t.throws(() => publisher.update({ field1: 2 }), disposed)
  t.throws(() => publisher.withWrite(() => t.fail()), disposed)
  t.throws(() => publisher.writeLock(), disposed)
  t.is(publisher.totalWrites, 1)
  t.is(publisher.name, 'pose')
  t.true(publisher.closed)
})

scene('a consumer that was closed does nothing more', async (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const consumer = Consumer.open('pose', Pose, { directory })
  consumer[Symbol.dispose]()
  consumer[Symbol.dispose]()
  consumer.close()
  const uses: (() => unknown)[] = [
    () => consumer.read(),
    () => consumer.readInto(new Uint8Array(100)),
    () => consumer.readChange(),
    () => consumer.readLock(),
    () => consumer.tryReadLock(),
    () => consumer.withRead(() => t.fail()),
    () => consumer.changes(),
    () => consumer.hasChanged,
    () => consumer.totalWrites,
    () => consumer.stalenessMs,
    () => consumer.publisherAlive,
    () => consumer.epoch,
    () => consumer.schema,
  ]
  for (const use of uses) t.throws(use, disposed, String(use))
  await t.throwsAsync(consumer.readLockAsync(), disposed)
  t.true(consumer.closed)
  t.is(consumer.name, 'pose')
})

scene('a consumer that is closed lets go of what it held', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  const consumer = Consumer.open('pose', Pose, { directory })
  const lock = consumer.readLock()
  consumer.close()
  t.true(lock.released)
  t.throws(() => lock.value, { code: 'ERR_RELEASED' })
  publisher.write(pose(2), { timeout: 0 })
})

scene('a lock that outlives its consumer does not release what the next one in the slot holds', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1, maxConsumers: 1 })
  const consumer = Consumer.open('pose', Pose, { directory })
  const old = consumer.readLock()
  consumer.close()
  using next = Consumer.open('pose', Pose, { directory })
  using _ = next.readLock()
  old.release()
  t.throws(() => publisher.write(pose(2), { timeout: 0 }), { code: 'ERR_TIMEOUT' })
})

for (const buffers of [1, 3]) {
  scene(`a publisher that is closed while it writes publishes nothing of that, buffers: ${buffers}`, (t, { directory }) => {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers })
    using consumer = Consumer.open('pose', Pose, { directory })
    const lock = publisher.writeLock()
    const { value } = lock
    value.field1 = 99
    publisher.close()
    t.true(lock.released)
    t.throws(() => value.field1, { code: 'ERR_RELEASED' })
    lock.release()
    t.deepEqual(consumer.readChange(), pose(1))
    t.throws(() => consumer.readChange(), { code: 'ERR_CLOSED' })
  })
}

scene('an asynchronous wait ends when the consumer is closed', async (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory })
  const consumer = Consumer.open('pose', Pose, { directory })
  const pending = consumer.readLockAsync({ timeout: 60_000 })
  await turn()
  consumer.close()
  await t.throwsAsync(pending, disposed)
})

scene('views show nothing once their owner is gone', (t, { directory }) => {
  const publisher = Publisher.create('blob', bytes(64), { directory, init: new Uint8Array(64).fill(7) })
  const consumer = Consumer.open('blob', bytes(64), { directory })
  const lock = consumer.readLock()
  const { bytes: read } = lock
  const part = read.subarray(8, 16)
  const words = new Int32Array(read.buffer)
  lock.release()
  const write = publisher.writeLock()
  const { bytes: written } = write
  write.release()
  consumer.close()
  publisher.close()
  for (const view of [read, part, words, written]) {
    t.is(view.byteLength, 0)
    t.is(view[0] as unknown, undefined)
    t.is(view.buffer.byteLength, 0)
  }
  t.throws(() => Atomics.load(words, 0))
  t.throws(() => new DataView(read.buffer).getInt8(0))
  written[0] = 1 // ignored, as for every detached view
})

scene('jobs of the thread pool over shared memory survive its disposal', async (t, { directory }) => {
  for (let round = 0; round < 20; round++) {
    const publisher = Publisher.create('blob', bytes(1 << 20), { directory, init: new Uint8Array(1 << 20).fill(round) })
    const consumer = Consumer.open('blob', bytes(1 << 20), { directory })
    const lock = consumer.readLock()
    const jobs = Array.from({ length: 8 }, () => promisify(deflate)(lock.bytes, { level: 1 }))
    if (round % 2 === 0) await turn()
    consumer.close()
    publisher.close()
    for (const job of await Promise.all(jobs)) t.true(job.length > 0)
  }
})

scene('nobody else can take the memory away', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(64), { directory, init: new Uint8Array(64).fill(7) })
  using consumer = Consumer.open('blob', bytes(64), { directory })
  using lock = consumer.readLock()
  const { buffer } = lock.bytes
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
  } catch {
    // newer engines refuse, older ones copy
  }
  t.is(lock.bytes[63], 7)
  publisher.write(new Uint8Array(64).fill(8))
  t.is(lock.bytes[63], 7)
})

scene('descriptors and threads come back', async (t, { directory }) => {
  const count = (kind: 'fd' | 'task') => readdirSync(`/proc/self/${kind}`).length
  const live = async () => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
    using consumer = Consumer.open('pose', Pose, { directory })
    const changes = consumer.changes()
    await changes.next()
    const pending = changes.next() // starts the watching thread
    publisher.write(pose(2))
    await pending
  }
  await live()
  const descriptors = count('fd')
  const threads = count('task')
  for (let round = 0; round < 200; round++) await live()
  // the threads end by themselves, and hold what they use until then; if not, the watchdog tells
  while (count('task') > threads + 2 || count('fd') > descriptors + 2) await turn()
  t.pass()
})
