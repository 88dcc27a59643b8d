import { setTimeout as delay } from 'node:timers/promises'
import { array, bool, Consumer, Publisher, struct } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

scene('read gives a copy that later writes leave alone', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  const first = consumer.read()
  publisher.write(pose(2))
  t.deepEqual(first, pose(1))
  first.trail.fill(9)
  t.deepEqual(consumer.read(), pose(2))
})

scene('readInto fills bytes or a view, without a new object', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const view = Pose.view()
  t.is(consumer.readInto(view), Pose.byteLength)
  t.is(view.field2, 0.5)
  t.is(view.name, 'pose 1')
  t.deepEqual(new Float64Array(view.trail), pose(1).trail)
  publisher.write(pose(2))
  t.is(view.name, 'pose 1')
  consumer.readInto(view)
  t.is(view.name, 'pose 2')

  const target = new Uint8Array(Pose.byteLength + 8).fill(255)
  t.is(consumer.readInto(target), Pose.byteLength)
  t.is(new DataView(target.buffer).getInt32(0, true), 2)
  t.true(target.subarray(Pose.byteLength).every(byte => byte === 255))
})

scene('readInto refuses a target that is too small or none', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  const small = new Uint8Array(Pose.byteLength - 1)
  const error = t.throws(() => consumer.readInto(small))
  t.regex(error.message, new RegExp(`${Pose.byteLength}`))
  t.true(small.every(byte => byte === 0))
  t.throws(() => consumer.readInto({} as never), { code: 'ERR_INVALID_ARGUMENT' })
  publisher.write(pose(2)) // nothing is held any more
})

scene('a read lock shows one value in place until it is released', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 3 })
  using consumer = Consumer.open('pose', Pose, { directory })
  {
    using lock = consumer.readLock()
    for (let number = 2; number <= 9; number++) publisher.write(pose(number))
    t.is(lock.version, 1)
    t.is(lock.value.field1, 1)
    t.is(lock.value.name, 'pose 1')
    t.deepEqual(new Float64Array(lock.value.trail), pose(1).trail)
    t.is(lock.bytes.byteLength, Pose.byteLength)
    t.is(new DataView(lock.bytes.buffer, lock.bytes.byteOffset).getInt32(0, true), 1)
  }
  using lock = consumer.readLock()
  t.is(lock.version, 9)
  t.is(lock.value.field1, 9)
})

scene('a read lock cannot write, and shows nothing after its release', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const lock = consumer.readLock()
  const { value } = lock
  t.throws(
    () => {
      ;(value as { field1: number }).field1 = 2
    },
    { code: 'ERR_READ_ONLY' },
  )
  lock.release()
  lock.release()
  lock[Symbol.dispose]()
  t.true(lock.released)
  const released = { code: 'ERR_RELEASED' }
  t.throws(() => lock.value, released)
  t.throws(() => lock.bytes, released)
  t.throws(() => lock.version, released)
  t.throws(() => value.field1, released)
  t.throws(() => value.trail, released)
  publisher.write(pose(2))
  t.deepEqual(consumer.read(), pose(2))
})

scene('a consumer holds one read lock at a time, consumers share', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  using other = Consumer.open('pose', Pose, { directory })
  {
    using lock = consumer.readLock()
    using shared = other.readLock()
    t.is(shared.value.field1, lock.value.field1)
    const held = { code: 'ERR_ALREADY_LOCKED' }
    t.throws(() => consumer.readLock(), held)
    t.throws(() => consumer.tryReadLock(), held)
    await t.throwsAsync(consumer.readLockAsync(), held)
    t.throws(() => consumer.withRead(() => {}), held)
    t.is(lock.value.field1, 1)
  }
  publisher.write(pose(2))
  t.is(consumer.read().field1, 2)
})

scene('tryReadLock gives nothing while the one buffer is written, and never waits', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(consumer.tryReadLock(), undefined)
  {
    using _ = publisher.writeLock()
    t.is(consumer.tryReadLock(), undefined)
  }
  using lock = consumer.tryReadLock()
  t.is(lock?.version, 1)
})

scene('withRead gives the value in place, returns the result, and lets go when it throws', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(3), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(
    consumer.withRead(value => value.field2),
    1.5,
  )
  const failure = new Error('while reading')
  t.is(
    t.throws(() =>
      consumer.withRead(() => {
        throw failure
      }),
    ),
    failure,
  )
  t.throws(() => consumer.withRead((async () => {}) as never), { code: 'ERR_PROMISE_RETURNED' })
  publisher.write(pose(4))
  t.is(
    consumer.withRead(value => value.field2),
    2,
  )
})

scene('readLockAsync waits without blocking until there is a value', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  const pending = consumer.readLockAsync({ timeout: 30_000 })
  await delay(30)
  publisher.write(pose(1))
  {
    using lock = await pending
    t.is(lock.value.field1, 1)
  }
  const write = publisher.writeLock()
  const second = consumer.readLockAsync({ timeout: 30_000 })
  await delay(30)
  write.value.field1 = 5
  write.release()
  using lock = await second
  t.is(lock.value.field1, 5)
})

scene('readLockAsync ends by its signal and by its timeout', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  using write = publisher.writeLock()
  const controller = new AbortController()
  const pending = consumer.readLockAsync({ timeout: 30_000, signal: controller.signal })
  controller.abort(new Error('enough'))
  const aborted = await t.throwsAsync(pending, { code: 'ERR_ABORTED' })
  t.is((aborted.cause as Error).message, 'enough')
  await t.throwsAsync(consumer.readLockAsync({ signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
  await t.throwsAsync(consumer.readLockAsync({ timeout: 20 }), { code: 'ERR_TIMEOUT', message: new RegExp(`pid ${process.pid}`) })
  write.release()
  using lock = await consumer.readLockAsync()
  t.is(lock.version, 2)
})

scene('readChange gives each value once', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(consumer.readChange(), undefined)
  publisher.write(pose(1))
  t.true(consumer.hasChanged)
  t.deepEqual(consumer.readChange(), pose(1))
  t.false(consumer.hasChanged)
  t.is(consumer.readChange(), undefined)
  publisher.write(pose(2))
  publisher.write(pose(3))
  t.deepEqual(consumer.readChange(), pose(3))
  t.is(consumer.readChange(), undefined)
})

scene('read, readInto and locks count as having seen a value', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const reads = [
    () => consumer.read(),
    () => consumer.readInto(Pose.view()),
    () => consumer.withRead(() => {}),
    () => consumer.readLock().release(),
    () => consumer.tryReadLock()?.release(),
  ]
  for (const read of reads) {
    publisher.write(pose(2))
    t.true(consumer.hasChanged)
    read()
    t.false(consumer.hasChanged)
    t.is(consumer.readChange(), undefined)
  }
})

scene('two consumers see changes independently', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using one = Consumer.open('pose', Pose, { directory })
  using two = Consumer.open('pose', Pose, { directory })
  t.deepEqual(one.readChange(), pose(1))
  t.true(two.hasChanged)
  publisher.write(pose(2))
  t.deepEqual(two.readChange(), pose(2))
  t.deepEqual(one.readChange(), pose(2))
})

scene('stalenessMs grows from each publication on', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(consumer.stalenessMs, Number.POSITIVE_INFINITY)
  publisher.write(pose(1))
  const before = consumer.stalenessMs
  t.true(before >= 0)
  await delay(30)
  t.true(consumer.stalenessMs >= before + 25)
  const start = performance.now()
  publisher.write(pose(2))
  const age = consumer.stalenessMs
  t.true(age <= performance.now() - start + 1, `${age} ms`) // though it was 25 ms before
})

scene('a read-only consumer reads copies and cannot lock', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, maxConsumers: 1 })
  using attached = Consumer.open('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory, readOnly: true }) // takes no slot
  t.true(consumer.readOnly)
  t.false(attached.readOnly)
  t.throws(() => consumer.read(), { code: 'ERR_EMPTY' })
  t.is(consumer.readChange(), undefined)
  publisher.write(pose(1))
  t.true(consumer.hasChanged)
  t.deepEqual(consumer.readChange(), pose(1))
  publisher.write(pose(2))
  t.deepEqual(consumer.read(), pose(2))
  const view = Pose.view()
  t.is(consumer.readInto(view), Pose.byteLength)
  t.is(view.name, 'pose 2')
  t.is(consumer.totalWrites, 2)
  t.true(consumer.publisherAlive)
  const locked = { code: 'ERR_READ_ONLY' }
  t.throws(() => consumer.readLock(), locked)
  t.throws(() => consumer.tryReadLock(), locked)
  await t.throwsAsync(consumer.readLockAsync(), locked)
})

scene('a copy of more values than the engine has room for is refused, and they can be looked at in place', async (t, { directory }) => {
  const many = 2 ** 12
  const Flags = struct({ flags: array(array(bool, many), many) })
  using publisher = Publisher.create('flags', Flags, { directory, buffers: 1 })
  publisher.withWrite(({ flags }) => flags.at(-1)?.set(many - 1, true), { copy: false })
  using consumer = Consumer.openDynamic('flags', { directory })
  using observer = Consumer.openDynamic('flags', { directory, readOnly: true })
  const refused = { code: 'ERR_INVALID_SIZE', message: /16,781,314 values/ }
  for (const one of [consumer, observer]) {
    t.throws(() => one.read(), refused)
    t.throws(() => one.readChange(), refused)
    await t.throwsAsync(one.changes().next(), refused)
  }
  using typed = Consumer.open('flags', Flags, { directory })
  t.true(typed.withRead(({ flags }) => flags.at(-1)?.at(-1)))
})
