import { closeSync, constants, ftruncateSync, openSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Broker, bytes, Consumer, DescriptorChannel, f64, i32, Publisher, Region, struct } from 'pagecast'
import { Child } from './helpers/child.js'
import { Pose, pose } from './helpers/pose.js'
import { type Scene, scene } from './helpers/scene.js'

/** A descriptor of the publication that is the test's own: it stays when the publisher is closed. */
function keep({ fd }: { readonly fd: number }, flags: number = constants.O_RDWR): number {
  return openSync(`/proc/self/fd/${fd}`, flags)
}

function child(scene: Scene, fd: number, ...args: readonly unknown[]): Child {
  return scene.keep(Child.node('nameless', args, { descriptors: [fd] }))
}

scene('a publication without a name is joined by its descriptor', (t, scene) => {
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  t.is(publisher.name, 'memfd:pose')
  t.is(readlinkSync(`/proc/self/fd/${publisher.fd}`), '/memfd:pose (deleted)')
  using consumer = Consumer.open({ fd: publisher.fd }, Pose)
  using dynamic = Consumer.openDynamic({ fd: consumer.fd })
  using observer = Consumer.open({ fd: publisher.fd }, Pose, { readOnly: true })
  publisher.update({ field1: 2 })
  t.deepEqual(consumer.read(), { ...pose(1), field1: 2 })
  t.deepEqual([(dynamic.read() as { field1: number }).field1, observer.read().field1], [2, 2])
  t.is(consumer.name, `descriptor ${publisher.fd}`)
  t.true(consumer.publisherAlive)
  publisher.close()
  t.true(consumer.closed)
  t.throws(() => consumer.read(), { code: 'ERR_CLOSED' })
  t.throws(() => publisher.fd, { code: 'ERR_DISPOSED' })
  t.deepEqual(scene.names(), [])
})

scene('the descriptor of a publication that has a name serves as well', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open({ fd: publisher.fd }, Pose)
  t.is(consumer.read().field1, 1)
})

scene('a child gets it by its stdio, and hears every change', async (t, scene) => {
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  const consumer = child(scene, publisher.fd, 'consumer')
  t.like(await consumer.says('value'), { field1: 1, name: 'pose 1' })
  publisher.write(pose(2))
  t.like(await consumer.says('value'), { field1: 2, name: 'pose 2' })
  publisher.close()
  await consumer.says('over')
  await consumer.succeeds()
})

scene('it goes over a channel to a process that is no child', async (t, scene) => {
  const path = join(scene.directory, 'channel')
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  using listener = DescriptorChannel.listen(path)
  const consumer = scene.keep(Child.node('nameless', ['channel', path]))
  {
    using channel = await listener.accept()
    await channel.send({ descriptors: [publisher.fd] })
  }
  t.like(await consumer.says('value'), { field1: 1 })
  publisher.write(pose(2))
  t.like(await consumer.says('value'), { field1: 2 })
  publisher.close()
  await consumer.says('over')
  await consumer.succeeds()
})

scene('a broker knows it by a name, and consumers outlive the broker', async (t, scene) => {
  const path = join(scene.directory, 'broker')
  const broker = Broker.listen(path)
  const consumer = scene.keep(Child.node('nameless', ['broker', path]))
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  using client = await Broker.connect(path)
  await client.share('pose', publisher.fd)
  t.like(await consumer.says('value'), { field1: 1 })
  broker.close()
  publisher.write(pose(2))
  t.like(await consumer.says('value'), { field1: 2 })
  publisher.close()
  await consumer.says('over')
  await consumer.succeeds()
})

scene('a publisher that is killed is followed by who has the descriptor, and its consumers stay', async (t, scene) => {
  const fd = (() => {
    using founder = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1), buffers: 4 })
    return keep(founder)
  })()
  const first = child(scene, fd, 'publisher', 10)
  t.like(await first.says('published'), { adopted: true, totalWrites: 2 })
  using consumer = Consumer.open({ fd }, Pose)
  const heard = child(scene, fd, 'consumer')
  t.like(await heard.says('value'), { field1: 10, epoch: 2 })
  t.throws(() => Publisher.create({ fd }, Pose), {
    code: 'ERR_PUBLISHER_EXISTS',
    message: new RegExp(`descriptor ${fd}.*pid ${first.pid}`),
  })
  const second = child(scene, fd, 'publisher', 20)
  first.kill('SIGKILL')
  t.like(await second.says('published'), { adopted: true, totalWrites: 3 })
  t.like(await heard.says('value'), { field1: 20, epoch: 3 })
  t.is(consumer.read().field1, 20)
  second.tell('close')
  await heard.says('over')
  t.true(consumer.closed)
  closeSync(fd)
})

scene('what a killed consumer holds is taken back', async (t, scene) => {
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1), buffers: 1 })
  const holder = child(scene, publisher.fd, 'holder')
  t.like(await holder.says('holds'), { field1: 1 })
  t.throws(() => publisher.write(pose(2), { timeout: 20 }), { code: 'ERR_TIMEOUT', message: new RegExp(`pid ${holder.pid}`) })
  holder.kill('SIGKILL')
  await holder.exit
  publisher.write(pose(2))
  using consumer = Consumer.open({ fd: publisher.fd }, Pose)
  t.is(consumer.read().field1, 2)
})

scene('a descriptor for reading only is for read-only consumers', t => {
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  const fd = keep(publisher, constants.O_RDONLY)
  t.throws(() => Consumer.open({ fd }, Pose), { code: 'ERR_PERMISSION', message: /reading only/ })
  using observer = Consumer.open({ fd }, Pose, { readOnly: true })
  publisher.write(pose(2))
  t.is(observer.read().field1, 2)
  publisher.close()
  t.throws(() => Publisher.create({ fd }, Pose), { code: 'ERR_PERMISSION' })
  closeSync(fd)
})

scene('nobody can cut it short or make it longer', t => {
  using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  const fd = keep(publisher)
  for (const size of [0, 2 ** 30]) t.throws(() => ftruncateSync(fd, size), { code: 'EPERM' })
  using consumer = Consumer.open({ fd }, Pose)
  t.is(consumer.read().field1, 1)
  closeSync(fd)
})

scene('a closed one can be gone on with, as long as it is of the same type', t => {
  using first = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
  const fd = keep(first)
  first.close()
  using consumer = Consumer.open({ fd }, Pose)
  t.true(consumer.closed)
  const other = struct({ field1: i32, field3: f64 })
  t.throws(() => Publisher.create({ fd }, other), { code: 'ERR_SCHEMA_MISMATCH', message: /nothing can take its place/ })
  t.throws(() => Publisher.create({ fd }, bytes(8)), { code: 'ERR_SCHEMA_MISMATCH' })
  t.throws(() => Publisher.create({ fd }, Pose, { ifDead: 'fail' }), { code: 'ERR_ALREADY_EXISTS' })
  using second = Publisher.create({ fd }, Pose, { init: pose(2) })
  t.deepEqual([second.adopted, consumer.closed, consumer.read().field1, consumer.epoch], [true, false, 2, 2])
  closeSync(fd)
})

scene('what leads to no publication is refused', (t, { directory }) => {
  using region = Region.map({ source: 'memfd', size: 65_536 })
  using named = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const open = (location: unknown, options?: object) => () => Consumer.open(location as string, Pose, options)
  const create = (location: unknown, options?: object) => () => Publisher.create(location as string, Pose, options)
  for (const attempt of [open, create]) {
    t.throws(attempt({ fd: region.fd }), { code: 'ERR_NOT_A_SEGMENT' })
    t.throws(attempt({ fd: 0x7fff_fff0 }), { code: 'ERR_INVALID_ARGUMENT', message: /there is none/ })
    for (const fd of [-1, 1.5, Number.NaN, 2 ** 31, '3', undefined, 3n]) t.throws(attempt({ fd }), { code: 'ERR_INVALID_ARGUMENT' })
    t.throws(attempt({ fd: named.fd, memfd: 'x' }), { code: 'ERR_INVALID_ARGUMENT' })
    for (const location of [undefined, null, 5, {}, [], { name: 'pose' }]) t.throws(attempt(location), { code: 'ERR_INVALID_NAME' })
    t.throws(attempt({ fd: named.fd }, { directory }), { code: 'ERR_INVALID_ARGUMENT', message: /only a name has one/ })
  }
  t.throws(open({ memfd: 'pose' }), { code: 'ERR_INVALID_ARGUMENT', message: /found by its descriptor/ })
  for (const memfd of [5, 'a\0b', 'x'.repeat(250)]) t.throws(create({ memfd }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(create({ fd: named.fd }, { ifDead: 'replace' }), { code: 'ERR_INVALID_ARGUMENT', message: /take the place/ })
  using consumer = Consumer.open({ fd: named.fd }, Pose)
  t.throws(() => consumer.changes({ reopen: true }), { code: 'ERR_INVALID_ARGUMENT', message: /without a name/ })
})

scene('what fails leaves no descriptor behind', async (t, _) => {
  const { readdirSync } = await import('node:fs')
  const count = () => readdirSync('/proc/self/fd').length
  using region = Region.map({ source: 'memfd', size: 65_536 })
  const before = count()
  for (let i = 0; i < 20; i++) {
    t.throws(() => Consumer.open({ fd: region.fd }, Pose), { code: 'ERR_NOT_A_SEGMENT' })
    t.throws(() => Publisher.create({ fd: region.fd }, Pose), { code: 'ERR_NOT_A_SEGMENT' })
    using publisher = Publisher.create({ memfd: 'pose' }, Pose, { init: pose(1) })
    t.throws(() => Consumer.open({ fd: publisher.fd }, struct({ other: f64 })), { code: 'ERR_SCHEMA_MISMATCH' })
  }
  t.true(count() <= before, `${count()} of ${before}`) // the threads of a broker that was closed may have closed some only now
})
