import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

scene('a publication with a first value can be read at once', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.deepEqual(consumer.read(), pose(1))
  t.is(publisher.totalWrites, 1)
  t.is(consumer.totalWrites, 1)
})

scene('a publication without a first value is empty until the first write', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(consumer.totalWrites, 0)
  t.is(publisher.totalWrites, 0)
  t.false(consumer.hasChanged)
  t.is(consumer.readChange(), undefined)
  t.throws(() => consumer.read(), { code: 'ERR_EMPTY' })
  publisher.write(pose(1))
  t.deepEqual(consumer.read(), pose(1))
})

for (const buffers of [1, 2, 3, undefined]) {
  scene(`write replaces the whole value, ${buffers ?? 'default'} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pose', Pose, { directory, ...(buffers && { buffers }) })
    using consumer = Consumer.open('pose', Pose, { directory })
    for (let number = 1; number <= 10; number++) {
      publisher.write(pose(number))
      t.deepEqual(consumer.read(), pose(number))
      t.is(consumer.totalWrites, number)
    }
  })

  scene(`update keeps the rest of the value, ${buffers ?? 'default'} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), ...(buffers && { buffers }) })
    using consumer = Consumer.open('pose', Pose, { directory })
    for (let number = 2; number <= 8; number++) {
      publisher.update({ field2: number })
      t.deepEqual(consumer.read(), { ...pose(1), field2: number })
    }
    publisher.update({ name: 'other' })
    t.deepEqual(consumer.read(), { ...pose(1), field2: 8, name: 'other' })
  })

  scene(`withWrite changes the value in place, ${buffers ?? 'default'} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), ...(buffers && { buffers }) })
    using consumer = Consumer.open('pose', Pose, { directory })
    publisher.withWrite(value => {
      value.field2 = 3
      value.trail[7] = 5
    })
    const trail = pose(1).trail
    trail[7] = 5
    t.deepEqual(consumer.read(), { ...pose(1), field2: 3, trail })
    t.is(consumer.totalWrites, 2)
  })

  scene(`a withWrite that throws publishes nothing, ${buffers ?? 'default'} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), ...(buffers && { buffers }) })
    using consumer = Consumer.open('pose', Pose, { directory })
    const failure = new Error('half way')
    const thrown = t.throws(() =>
      publisher.withWrite(value => {
        value.field1 = 99
        throw failure
      }),
    )
    t.is(thrown, failure)
    t.deepEqual(consumer.read(), pose(1))
    t.is(consumer.totalWrites, 1)
    publisher.write(pose(2)) // the lock is not held any more
    t.deepEqual(consumer.read(), pose(2))
  })

  scene(`an aborted write lock publishes nothing, ${buffers ?? 'default'} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), ...(buffers && { buffers }) })
    using consumer = Consumer.open('pose', Pose, { directory })
    {
      using lock = publisher.writeLock()
      lock.value.field1 = 99
      lock.abort()
      t.true(lock.released)
    }
    t.deepEqual(consumer.read(), pose(1))
    t.is(consumer.totalWrites, 1)
  })
}

scene('a write lock publishes at the end of its scope, and not before', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 3 })
  using consumer = Consumer.open('pose', Pose, { directory })
  {
    using lock = publisher.writeLock()
    t.deepEqual(lock.value.name, 'pose 1')
    lock.value.field1 = 2
    lock.value.name = 'two'
    lock.value.trail.fill(2)
    t.deepEqual(consumer.read(), pose(1))
    t.false(lock.released)
  }
  t.deepEqual(consumer.read(), { ...pose(1), field1: 2, name: 'two', trail: pose(2).trail })
})

scene('a write lock can be released early and twice, once counts', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const lock = publisher.writeLock()
  const { value } = lock
  value.field1 = 2
  lock.release()
  lock.release()
  lock[Symbol.dispose]()
  lock.abort()
  t.is(publisher.totalWrites, 2)
  t.throws(() => lock.value, { code: 'ERR_RELEASED' })
  t.throws(() => lock.bytes, { code: 'ERR_RELEASED' })
  t.throws(() => value.field1, { code: 'ERR_RELEASED' })
  t.throws(
    () => {
      value.field1 = 3
    },
    { code: 'ERR_RELEASED' },
  )
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(consumer.read().field1, 2)
})

scene('withWrite refuses a callback that returns a promise, and publishes nothing', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.throws(
    () =>
      publisher.withWrite((async (value: { field1: number }) => {
        value.field1 = 99
      }) as never),
    { code: 'ERR_PROMISE_RETURNED' },
  )
  t.deepEqual(consumer.read(), pose(1))
  publisher.write(pose(2))
  t.deepEqual(consumer.read(), pose(2))
})

scene('withWrite returns what its callback returns', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(4) })
  t.is(
    publisher.withWrite(value => value.field1),
    4,
  )
})

scene('a publisher holds one write lock at a time', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  {
    using lock = publisher.writeLock()
    const held = { code: 'ERR_ALREADY_LOCKED' }
    t.throws(() => publisher.writeLock(), held)
    t.throws(() => publisher.write(pose(9)), held)
    t.throws(() => publisher.update({ field1: 9 }), held)
    t.throws(() => publisher.withWrite(() => {}), held)
    lock.value.field1 = 2
  }
  t.deepEqual(consumer.read(), { ...pose(1), field1: 2 })
})

scene('copy: false begins with whatever is there and costs no copy', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 2 })
  using consumer = Consumer.open('pose', Pose, { directory })
  {
    using lock = publisher.writeLock({ copy: false })
    Object.assign(lock.value, { field1: 2, field2: 1, name: 'pose 2' })
    lock.value.trail.fill(2)
  }
  t.deepEqual(consumer.read(), pose(2))
})

scene('one buffer, copy: false: an abort leaves the publication empty', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  publisher.writeLock({ copy: false }).abort()
  t.throws(() => consumer.read(), { code: 'ERR_EMPTY' })
  publisher.write(pose(2))
  t.deepEqual(consumer.read(), pose(2))
})

scene('the first write lock of an empty publication begins with zeros', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  publisher.withWrite(value => {
    value.field1 = 7
  })
  t.deepEqual(consumer.read(), { field1: 7, field2: 0, name: '', trail: new Float64Array(8) })
})

scene('a value that does not fit is refused before anything is written', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  const { name: _, ...nameless } = pose(2)
  t.throws(() => publisher.write(nameless as never), { code: 'ERR_MISSING_FIELD', message: /name/ })
  t.throws(() => publisher.write({ ...pose(2), trail: new Float64Array(9) }), { code: 'ERR_VALUE_RANGE', message: /trail/ })
  t.throws(() => publisher.write({ ...pose(2), field1: 2 ** 31 }), { code: 'ERR_VALUE_RANGE', message: /field1/ })
  t.throws(() => publisher.update({ field2: 5, field1: Number.NaN }), { code: 'ERR_VALUE_RANGE', message: /field1/ })
  t.throws(() => publisher.update({ field2: 5, other: 1 } as never), { code: 'ERR_UNKNOWN_FIELD', message: /other/ })
  t.deepEqual(consumer.read(), pose(1))
  t.is(consumer.totalWrites, 1)
})

scene('a first value that does not fit leaves no name', (t, { directory }) => {
  t.throws(() => Publisher.create('pose', Pose, { directory, init: { field1: 1 } as never }), { code: 'ERR_MISSING_FIELD' })
})
