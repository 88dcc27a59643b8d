import { Consumer, f64, Publisher, struct } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

/** A publication whose publisher is gone, with a consumer that stayed. */
function deserted(directory: string): Consumer<typeof Pose> {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 3 })
  const consumer = Consumer.open('pose', Pose, { directory })
  publisher.write(pose(2))
  publisher.close({ keep: true })
  return consumer
}

scene('close takes the name away and tells the consumers, who still get the last value as a change', (t, scene) => {
  const { directory } = scene
  const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  using late = Consumer.open('pose', Pose, { directory })
  consumer.read()
  t.false(consumer.closed)
  publisher.write(pose(2))
  publisher.close()
  t.deepEqual(scene.names(), [])
  t.true(publisher.closed)
  t.true(consumer.closed)
  t.false(consumer.publisherAlive)
  t.throws(() => consumer.read(), { code: 'ERR_CLOSED' })
  t.throws(() => consumer.readLock(), { code: 'ERR_CLOSED' })
  t.throws(() => consumer.tryReadLock(), { code: 'ERR_CLOSED' })
  t.deepEqual(consumer.readChange(), pose(2))
  t.throws(() => consumer.readChange(), { code: 'ERR_CLOSED' })
  t.deepEqual(late.readChange(), pose(2))
  t.is(late.totalWrites, 2)
  t.throws(() => Consumer.open('pose', Pose, { directory }), { code: 'ERR_NOT_FOUND' })
})

scene('close with keep leaves the name for a successor', (t, scene) => {
  const { directory } = scene
  using consumer = deserted(directory)
  t.deepEqual(scene.names(), ['pose'])
  t.false(consumer.publisherAlive)
  t.true(consumer.closed)
  t.throws(() => consumer.read(), { code: 'ERR_CLOSED' })
  using _ = Publisher.create('pose', Pose, { directory })
  t.false(consumer.closed)
})

scene('a successor adopts the segment: consumers stay attached, values and counts go on', (t, { directory }) => {
  using consumer = deserted(directory)
  t.is(consumer.epoch, 1)
  using publisher = Publisher.create('pose', Pose, { directory })
  t.true(publisher.adopted)
  t.is(publisher.buffers, 3)
  t.is(publisher.totalWrites, 2)
  t.is(consumer.epoch, 2)
  t.true(consumer.publisherAlive)
  t.deepEqual(consumer.read(), pose(2))
  publisher.update({ field1: 3 })
  t.deepEqual(consumer.read(), { ...pose(2), field1: 3 })
  t.is(consumer.totalWrites, 3)
  using newcomer = Consumer.open('pose', Pose, { directory })
  t.is(newcomer.epoch, 2)
  t.deepEqual(newcomer.read(), consumer.read())
})

scene('a successor with a first value publishes it to the consumers that stayed', (t, { directory }) => {
  using consumer = deserted(directory)
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(7), buffers: 3, maxConsumers: 16 })
  t.true(publisher.adopted)
  t.deepEqual(consumer.read(), pose(7))
  t.is(consumer.totalWrites, 3)
})

scene('a hundred successors', (t, { directory }) => {
  using consumer = deserted(directory)
  for (let epoch = 2; epoch <= 101; epoch++) {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(epoch) })
    t.is(consumer.epoch, epoch)
    t.deepEqual(consumer.read(), pose(epoch))
    publisher.close({ keep: epoch < 101 })
  }
})

const replacements = {
  'ifDead: replace': (directory: string) => Publisher.create('pose', Pose, { directory, init: pose(9), ifDead: 'replace' }),
  'another schema': (directory: string) => Publisher.create('pose', struct({ speed: f64 }), { directory, init: { speed: 1 } }),
  'another number of buffers': (directory: string) => Publisher.create('pose', Pose, { directory, init: pose(9), buffers: 1 }),
  'another number of consumers': (directory: string) => Publisher.create('pose', Pose, { directory, init: pose(9), maxConsumers: 2 }),
}

for (const [reason, create] of Object.entries(replacements)) {
  scene(`a segment is replaced and its consumers are told: ${reason}`, (t, scene) => {
    const { directory } = scene
    using consumer = deserted(directory)
    using publisher = create(directory)
    t.false(publisher.adopted)
    t.deepEqual(scene.names(), ['pose'])
    t.throws(() => consumer.read(), { code: 'ERR_REPLACED' })
    t.throws(() => consumer.readLock(), { code: 'ERR_REPLACED' })
    t.deepEqual(consumer.readChange(), pose(2))
    t.throws(() => consumer.readChange(), { code: 'ERR_REPLACED' })
    t.true(consumer.closed)
    using newcomer = Consumer.openDynamic('pose', { directory })
    t.is(newcomer.epoch, 1)
    t.is(newcomer.totalWrites, 1)
  })
}

scene('ifDead: fail leaves what is there alone', (t, { directory }) => {
  using consumer = deserted(directory)
  t.throws(() => Publisher.create('pose', Pose, { directory, ifDead: 'fail' }), { code: 'ERR_ALREADY_EXISTS' })
  t.is(consumer.epoch, 1)
  using publisher = Publisher.create('pose', Pose, { directory })
  t.true(publisher.adopted)
})

scene('a consumer may hold a value while publishers change', (t, { directory }) => {
  const first = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 3 })
  using consumer = Consumer.open('pose', Pose, { directory })
  using lock = consumer.readLock()
  first.close({ keep: true })
  using second = Publisher.create('pose', Pose, { directory })
  for (let number = 2; number < 20; number++) second.write(pose(number))
  t.is(lock.value.field1, 1)
  t.is(lock.value.name, 'pose 1')
})

scene('closing an old publisher twice does not harm its successor', (t, scene) => {
  const { directory } = scene
  const old = Publisher.create('pose', Pose, { directory, init: pose(1) })
  old.close({ keep: true })
  using publisher = Publisher.create('pose', Pose, { directory })
  old.close()
  old[Symbol.dispose]()
  t.deepEqual(scene.names(), ['pose'])
  publisher.write(pose(2))
})
