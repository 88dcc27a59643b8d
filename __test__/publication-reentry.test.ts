import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { array, bytes, Consumer, f64, Publisher, struct } from 'pagecast'
import { scene } from './helpers/scene.js'

// Code of the caller that runs in the middle of an operation: getters, overridden methods, callbacks.

const Pair = struct({ a: f64, b: f64 })
const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code

for (const buffers of [1, 3]) {
  scene(`a getter that writes does not disturb the update it is read by, ${buffers} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pair', Pair, { directory, buffers, init: { a: 1, b: 1 }, maxConsumers: 1 })
    using consumer = Consumer.open('pair', Pair, { directory })
    let reads = 0
    publisher.update({
      get a() {
        reads += 1
        publisher.write({ a: 7, b: 7 })
        return 9
      },
    })
    t.is(reads, 1, 'each property is read once')
    t.deepEqual(consumer.read(), { a: 9, b: 7 })
    t.is(consumer.totalWrites, 3)
    publisher.write({ a: 8, b: 8 })
    t.deepEqual(consumer.read(), { a: 8, b: 8 })
  })

  scene(`a getter that closes or locks the publisher is an error with a code, ${buffers} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pair', Pair, { directory, buffers, init: { a: 1, b: 1 } })
    let lock: { abort(): void } | undefined
    const locking = {
      get a() {
        lock = publisher.writeLock()
        return 2
      },
    }
    t.throws(() => publisher.update(locking), { code: 'ERR_ALREADY_LOCKED' })
    lock?.abort()
    const closing = {
      get a() {
        publisher.close()
        return 2
      },
      b: 2,
    }
    t.throws(() => publisher.write(closing), { code: 'ERR_DISPOSED' })
  })

  scene(`an option's getter that closes or locks a publisher of bytes is an error with a code, ${buffers} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('bytes', bytes(16), { directory, buffers, maxConsumers: 1, init: Uint8Array.of(1) })
    using consumer = Consumer.open('bytes', bytes(16), { directory })
    let lock: { abort(): void } | undefined
    const locking = {
      get timeout() {
        lock = publisher.writeLock()
        return 5
      },
    }
    t.throws(() => publisher.write(Uint8Array.of(2), locking), { code: 'ERR_ALREADY_LOCKED' })
    lock?.abort()
    t.deepEqual(consumer.read(), Uint8Array.of(1))
    publisher.write(Uint8Array.of(3))
    t.deepEqual(consumer.read(), Uint8Array.of(3))
    const closing = {
      get timeout() {
        publisher.close()
        return 5
      },
    }
    t.throws(() => publisher.write(Uint8Array.of(4), closing), { code: 'ERR_DISPOSED' })
  })

  scene(`memory that was transferred away is refused, and nothing is locked, ${buffers} buffers`, (t, { directory }) => {
    const gone = new Uint8Array(8)
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    t.throws(() => Publisher.create('bytes', bytes(16), { directory, buffers, init: gone }), { code: 'ERR_INVALID_ARGUMENT' })
    using publisher = Publisher.create('bytes', bytes(16), { directory, buffers, init: Uint8Array.of(1) })
    using consumer = Consumer.open('bytes', bytes(16), { directory })
    t.throws(() => publisher.write(gone), { code: 'ERR_INVALID_ARGUMENT', message: /detached/ })
    t.deepEqual(consumer.read(), Uint8Array.of(1))
    publisher.write(new Uint8Array())
    t.is(consumer.readInto(new Uint8Array()), 0)
    t.throws(() => consumer.readInto(gone), { code: 'ERR_INVALID_ARGUMENT', message: /detached/ })
    publisher.write(Uint8Array.of(2))
    t.deepEqual(consumer.read(), Uint8Array.of(2))
  })

  scene(`bytes are as long as they are, not as they say, ${buffers} buffers`, (t, { directory }) => {
    class Liar extends Uint8Array {
      override get length(): number {
        return 1_000_000
      }
    }
    class Modest extends Uint8Array {
      override get length(): number {
        return 1
      }
    }
    using publisher = Publisher.create('bytes', bytes(8), { directory, buffers })
    using consumer = Consumer.open('bytes', bytes(8), { directory })
    publisher.write(new Liar(8).fill(3))
    t.deepEqual(consumer.read(), new Uint8Array(8).fill(3))
    t.throws(() => publisher.write(new Modest(100)), { code: 'ERR_INVALID_SIZE' })
    t.deepEqual(consumer.read(), new Uint8Array(8).fill(3))
  })
}

scene('a target with methods of its own gets the value that was pinned', (t, { directory }) => {
  using publisher = Publisher.create('pair', Pair, { directory, buffers: 2, init: { a: 1, b: 1 } })
  using consumer = Consumer.open('pair', Pair, { directory })
  class Meddler extends Uint8Array {
    override set(): void {
      t.fail('the target was called')
    }
  }
  const target = new Meddler(16)
  consumer.readInto(target)
  t.deepEqual([...new Float64Array(target.buffer)], [1, 1])
  publisher.write({ a: 2, b: 2 })
})

scene('a lock that ends while a field is being assigned is not written to', (t, { directory }) => {
  const Nested = struct({ n: Pair, list: array(Pair, 2) })
  const pair = { a: 1, b: 1 }
  using publisher = Publisher.create('nested', Nested, { directory, buffers: 2, init: { n: pair, list: [pair, pair] } })
  using consumer = Consumer.open('nested', Nested, { directory })
  for (const assign of ['n', 'list'] as const) {
    const lock = publisher.writeLock()
    const value = {
      a: 9,
      get b() {
        lock.release()
        return 9
      },
    }
    const error = t.throws(() => {
      if (assign === 'n') lock.value.n = value
      else lock.value.list.set(0, value)
    })
    t.is(codeOf(error), 'ERR_RELEASED')
    t.deepEqual(consumer.read().n, pair)
    t.deepEqual(consumer.read().list[0], pair)
  }
})

scene('a first value that cannot be published leaves what was adopted as it was', (t, { directory }) => {
  const before = Publisher.create('pair', Pair, { directory, buffers: 1, init: { a: 1, b: 1 } })
  before.close({ keep: true })
  {
    using publisher = Publisher.create('pair', Pair, { directory })
    publisher.write({ a: 2, b: 2 })
    publisher.close({ keep: true })
  }
  const holder = Publisher.create('pair', Pair, { directory })
  using consumer = Consumer.open('pair', Pair, { directory })
  holder.write({ a: 3, b: 3 })
  holder.close({ keep: true })
  using again = Publisher.create('pair', Pair, { directory })
  t.true(again.adopted)
  const lock = consumer.readLock()
  again.close({ keep: true })
  t.throws(() => Publisher.create('pair', Pair, { directory, timeout: 20, init: { a: 4, b: 4 } }), { code: 'ERR_TIMEOUT' })
  lock.release()
  t.false(consumer.closed, 'the failed publisher did not close what it adopted')
  t.deepEqual(consumer.read(), { a: 3, b: 3 })
  using last = Publisher.create('pair', Pair, { directory })
  t.true(last.adopted)
})

scene('an adopted segment gets the permission bits that were asked for', (t, { directory }) => {
  Publisher.create('pair', Pair, { directory, mode: 0o666, init: { a: 1, b: 1 } }).close({ keep: true })
  using publisher = Publisher.create('pair', Pair, { directory, mode: 0o640 })
  t.true(publisher.adopted)
  t.is(statSync(join(directory, 'pair')).mode & 0o777, 0o640)
})

scene('an abort is heard while maxRate rests', async (t, { directory }) => {
  using publisher = Publisher.create('pair', Pair, { directory, init: { a: 1, b: 1 } })
  using consumer = Consumer.open('pair', Pair, { directory })
  const controller = new AbortController()
  const changes = consumer.changes({ signal: controller.signal, maxRate: 0.01 })
  await changes.next()
  controller.abort()
  await t.throwsAsync(changes.next(), { code: 'ERR_ABORTED' })
  publisher.write({ a: 2, b: 2 })
})

scene('a read-only consumer awaits changes while the only buffer is being written', async (t, { directory }) => {
  using publisher = Publisher.create('pair', Pair, { directory, buffers: 1, init: { a: 1, b: 1 } })
  using consumer = Consumer.open('pair', Pair, { directory, readOnly: true })
  const lock = publisher.writeLock()
  lock.value.a = 2
  const changes = consumer.changes()
  const first = changes.next()
  setTimeout(() => lock.release(), 20)
  t.deepEqual((await first).value, { a: 2, b: 1 })
  await changes.return?.()
})

scene('a consumer that waited for the lock owes the publisher nothing afterwards', async (t, { directory }) => {
  using publisher = Publisher.create('pair', Pair, { directory, buffers: 1, init: { a: 1, b: 1 } })
  using consumer = Consumer.open('pair', Pair, { directory })
  const file = join(directory, 'pair')
  const lockWait = (): number => {
    const segment = readFileSync(file)
    return segment.readUInt32LE(Number(segment.readBigUInt64LE(88)) + 4) // docs/format.md: slot 0
  }
  const lock = publisher.writeLock()
  const waiting = consumer.readLockAsync({ timeout: 10_000 })
  await new Promise(resolve => setTimeout(resolve, 20))
  t.not(lockWait(), 0, 'it says that it waits')
  lock.release()
  ;(await waiting).release()
  t.is(lockWait(), 0)

  const second = publisher.writeLock()
  const controller = new AbortController()
  const aborted = consumer.readLockAsync({ timeout: 10_000, signal: controller.signal })
  await new Promise(resolve => setTimeout(resolve, 20))
  controller.abort()
  await t.throwsAsync(aborted, { code: 'ERR_ABORTED' })
  t.is(lockWait(), 0)
  second.release()
})
