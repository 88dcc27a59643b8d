import { setTimeout as delay } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

const here = new RegExp(`pid ${process.pid}\\b`)

scene('with every buffer held a write is busy and names who holds', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 2 })
  using one = Consumer.open('pose', Pose, { directory })
  using two = Consumer.open('pose', Pose, { directory })
  {
    using _ = one.readLock()
    publisher.write(pose(2))
    using __ = two.readLock()
    t.throws(() => publisher.write(pose(3)), { code: 'ERR_BUSY', message: here })
    t.throws(() => publisher.update({ field1: 3 }), { code: 'ERR_BUSY', message: here })
    t.throws(() => publisher.writeLock(), { code: 'ERR_BUSY', message: here })
    t.throws(() => publisher.withWrite(() => t.fail()), { code: 'ERR_BUSY', message: here })
    t.throws(() => publisher.write(pose(3), { timeout: 30 }), { code: 'ERR_TIMEOUT', message: here })
    t.deepEqual(one.totalWrites, 2)
  }
  publisher.write(pose(4))
  t.deepEqual(one.read(), pose(4))
})

scene('with one buffer a write waits for readers and then names them', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  using other = Consumer.open('pose', Pose, { directory })
  {
    using _ = consumer.readLock()
    t.throws(() => publisher.write(pose(2), { timeout: 30 }), { code: 'ERR_TIMEOUT', message: here })
    t.throws(() => publisher.writeLock({ timeout: 0 }), { code: 'ERR_TIMEOUT', message: here })
    t.deepEqual(other.read(), pose(1)) // the write that gave up keeps nobody out
    t.throws(() => publisher.write(pose(2)), { code: 'ERR_TIMEOUT', message: here }) // there is a default
  }
  publisher.write(pose(3))
  t.deepEqual(consumer.read(), pose(3))
})

scene('a read that waits for a write names the publisher when its time is over', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  {
    using _ = publisher.writeLock()
    t.throws(() => consumer.readLock({ timeout: 30 }), { code: 'ERR_TIMEOUT', message: here })
    t.throws(() => consumer.read({ timeout: 0 }), { code: 'ERR_TIMEOUT', message: here })
    t.throws(() => consumer.readLock(), { code: 'ERR_TIMEOUT', message: here })
  }
  t.deepEqual(consumer.read(), pose(1))
})

scene('the largest number of milliseconds is as long as it takes', async (t, { directory }) => {
  const patience = { timeout: Number.MAX_SAFE_INTEGER }
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1, ...patience })
  using consumer = Consumer.open('pose', Pose, { directory })
  publisher.write(pose(2), patience)
  t.deepEqual(consumer.read(patience), pose(2))
  const change = publisher.writeLock()
  const reading = consumer.readLockAsync(patience)
  t.is(await Promise.race([reading, delay(30, 'waits')]), 'waits')
  change.release()
  using _ = await reading
  t.throws(() => publisher.write(pose(3), { timeout: 0 }), { code: 'ERR_TIMEOUT' })
})

scene('a read that waits for a first value tells that none came', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.throws(() => consumer.readLock(), { code: 'ERR_EMPTY' })
  t.throws(() => consumer.readLock({ timeout: 30 }), { code: 'ERR_TIMEOUT', message: here })
  publisher.write(pose(1))
  t.deepEqual(consumer.read(), pose(1))
})

scene('an iteration waits so long for each value and then names the publisher', async (t, { directory }) => {
  const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const changes = consumer.changes({ timeout: 30 })
  t.deepEqual(await changes.next(), { done: false, value: pose(1) })
  await delay(50) // nobody waits yet
  publisher.write(pose(2))
  t.deepEqual(await changes.next(), { done: false, value: pose(2) })
  await t.throwsAsync(changes.next(), { code: 'ERR_TIMEOUT', message: new RegExp(`${here.source}.*nothing new`) })
  t.true((await changes.next()).done)
  publisher.close({ keep: true })
  const reopening = consumer.changes({ timeout: 30, reopen: true })
  t.deepEqual(await reopening.next(), { done: false, value: pose(2) })
  await t.throwsAsync(reopening.next(), { code: 'ERR_TIMEOUT', message: /no publication of that name/ })
  using successor = Publisher.create('pose', Pose, { directory })
  t.is(successor.totalWrites, 2)
})

scene('every slot taken: who has them is named', (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, maxConsumers: 2 })
  const consumers = [1, 2].map(() => Consumer.open('pose', Pose, { directory }))
  const message = `open ${directory}/pose: all 2 consumer slots are taken, held by pid ${process.pid} in slot 0, pid ${process.pid} in slot 1`
  t.throws(() => Consumer.open('pose', Pose, { directory }), { code: 'ERR_TOO_MANY_CONSUMERS', message })
  for (const consumer of consumers) consumer.close()
  Consumer.open('pose', Pose, { directory }).close()
})

scene('enough buffers: a slow consumer costs the publisher nothing', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(0), maxConsumers: 3, buffers: 5 })
  const consumers = [1, 2, 3].map(() => Consumer.open('pose', Pose, { directory }))
  const locks = consumers.map((consumer, number) => {
    publisher.write(pose(number))
    return consumer.readLock()
  })
  for (let number = 10; number < 1000; number++) publisher.write(pose(number))
  t.deepEqual(
    locks.map(lock => lock.value.field1),
    [0, 1, 2],
  )
  for (const one of [...locks, ...consumers]) one[Symbol.dispose]()
})
