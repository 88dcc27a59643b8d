import { setTimeout as delay } from 'node:timers/promises'
import { bytes, Consumer, f64, Publisher, struct } from 'pagecast'
import { Actor } from './helpers/actors.js'
import type { Child } from './helpers/child.js'
import { Pose, pose } from './helpers/pose.js'
import { type Scene, scene } from './helpers/scene.js'

async function standingBy(scene: Scene, number: number, options = {}): Promise<Child> {
  const child = scene.child('standby', [number, JSON.stringify(options)])
  await child.says('waiting')
  return child
}

/** A publisher of `pose(1)` in another process. */
async function publishing(scene: Scene): Promise<Child> {
  const child = await standingBy(scene, 1)
  await child.says('publisher')
  return child
}

scene('where nobody publishes a standby does so at once', async (t, scene) => {
  const { directory } = scene
  {
    using publisher = await Publisher.standby('pose', Pose, { directory, init: pose(1), buffers: 2, maxConsumers: 3, timeout: 0 })
    t.false(publisher.adopted)
    t.deepEqual([publisher.buffers, publisher.maxConsumers, publisher.totalWrites], [2, 3, 1])
    publisher.close({ keep: true })
  }
  using publisher = await Publisher.standby('pose', Pose, { directory, timeout: 0 })
  t.true(publisher.adopted)
  using consumer = Consumer.open('pose', Pose, { directory })
  t.deepEqual(consumer.read(), pose(1))
})

scene('the first value of a standby is what it was at the call', async (t, { directory }) => {
  const first = Publisher.create('blob', bytes(4), { directory, init: Uint8Array.of(1) })
  const init = Uint8Array.of(7)
  const standby = Publisher.standby('blob', bytes(4), { directory, init })
  init[0] = 99
  first.close({ keep: true })
  using _ = await standby
  using consumer = Consumer.open('blob', bytes(4), { directory })
  t.deepEqual(consumer.read(), Uint8Array.of(7))
})

scene('a standby takes over from a publisher that is killed, and its consumers stay attached', async (t, scene) => {
  const { directory } = scene
  const times: number[] = []
  let first = await publishing(scene)
  using consumer = Consumer.open('pose', Pose, { directory })
  const changes = consumer.changes()
  t.deepEqual(await changes.next(), { done: false, value: pose(1) })
  for (let number = 2; number < 12; number++) {
    const second = await standingBy(scene, number)
    await delay(5 * Math.random() + 30) // it has looked, and at no particular moment
    t.true(consumer.publisherAlive)
    const pending = changes.next()
    const start = performance.now()
    first.kill('SIGKILL')
    t.deepEqual(await pending, { done: false, value: pose(number) })
    times.push(performance.now() - start)
    t.like(await second.says('publisher'), { adopted: true, totalWrites: number })
    t.true(consumer.publisherAlive)
    t.is(consumer.epoch, number)
    first = second
  }
  times.sort((a, b) => a - b)
  t.log(`from the kill to the successor's first value: ${times.map(ms => ms.toFixed(1)).join(', ')} ms`)
  first.tell('close')
  await first.succeeds()
  t.true((await changes.next()).done) // a clean close ends the iteration
})

scene('a standby follows a publisher that closes: the name is new, an iteration that reopens goes on', async (t, scene) => {
  const { directory } = scene
  const first = await publishing(scene)
  using consumer = Consumer.open('pose', Pose, { directory })
  const changes = consumer.changes({ reopen: true })
  t.deepEqual(await changes.next(), { done: false, value: pose(1) })
  const second = await standingBy(scene, 2)
  const pending = changes.next()
  first.tell('close')
  t.like(await second.says('publisher'), { adopted: false, totalWrites: 1 })
  t.deepEqual(await pending, { done: false, value: pose(2) })
  t.is(consumer.epoch, 1)
  await changes.return?.()
  second.tell('close')
  await second.succeeds()
})

scene('a standby that wants another shape replaces what is left', async (t, scene) => {
  const { directory } = scene
  const first = await publishing(scene)
  using stays = Consumer.open('pose', Pose, { directory })
  using follows = Consumer.open('pose', Pose, { directory })
  const changes = follows.changes({ reopen: true })
  await changes.next()
  const pending = changes.next()
  const second = await standingBy(scene, 2, { maxConsumers: 5 })
  first.kill('SIGKILL')
  t.like(await second.says('publisher'), { adopted: false, totalWrites: 1 })
  t.throws(() => stays.read(), { code: 'ERR_REPLACED' })
  t.deepEqual(await pending, { done: false, value: pose(2) })
  await changes.return?.()
  second.tell('close')
  await second.succeeds()
})

scene('of several that stand by one becomes the publisher, the others go on waiting', async (t, scene) => {
  const { directory } = scene
  let publisher = await publishing(scene)
  using consumer = Consumer.open('pose', Pose, { directory })
  const candidates = new Set(await Promise.all([2, 3, 4, 5].map(number => standingBy(scene, number))))
  const all = [...candidates]
  const promoted = all.map(child => child.says('publisher').then(() => child))
  while (candidates.size > 0) {
    publisher.kill('SIGKILL')
    publisher = await Promise.race(promoted.filter((_, index) => candidates.has(all[index] as Child)))
    candidates.delete(publisher)
    t.true(consumer.publisherAlive)
    t.is(consumer.epoch, 5 - candidates.size)
  }
  publisher.tell('close')
  await publisher.succeeds()
})

scene('a standby waits for whoever has the name now, not for the segment it saw first', async (t, scene) => {
  const { directory } = scene
  const first = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const pending = Publisher.standby('pose', Pose, { directory, timeout: 60_000 })
  await delay(30)
  // Within one turn of the event loop: the standby cannot come in between.
  first.close({ keep: true })
  const second = Publisher.create('pose', Pose, { directory, init: pose(2), ifDead: 'replace' })
  using consumer = Consumer.open('pose', Pose, { directory })
  t.is(await Promise.race([pending, delay(100)]), undefined)
  t.true(consumer.publisherAlive)
  second.close({ keep: true })
  using third = await pending
  t.true(third.adopted)
  third.write(pose(3))
  t.deepEqual(consumer.read(), pose(3))
})

scene('a standby gives up after its timeout and names whom it waited for', async (t, scene) => {
  const { directory } = scene
  const child = await publishing(scene)
  const lives = { code: 'ERR_TIMEOUT', message: `standby pose: 30 ms are over, the publisher (pid ${child.pid}) lives` }
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory, timeout: 30 }), lives)
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory, timeout: 0 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => Publisher.create('pose', Pose, { directory }), {
    code: 'ERR_PUBLISHER_EXISTS',
    message: `create ${directory}/pose: its publisher (pid ${child.pid}) lives`,
  })
  child.tell('close')
  await child.succeeds()
})

scene("a standby that a stranger's read lock keeps out says so, and waits on", async (t, scene) => {
  const { directory } = scene
  Publisher.create('pose', Pose, { directory, init: pose(1) }).close({ keep: true })
  const stranger = await Actor.start(scene, 'rust')
  await stranger.does('on', 'pose')
  t.like(await stranger.does('obstruct'), { shared: true })
  const message = /^standby pose: 30 ms are over; create .*\/pose: .* holds a read lock \(fcntl\) on the publisher's byte$/
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory, timeout: 30 }), { code: 'ERR_TIMEOUT', message })
  const pending = Publisher.standby('pose', Pose, { directory })
  await delay(30)
  await stranger.end()
  using publisher = await pending
  t.true(publisher.adopted)
})

scene('a standby ends by its signal', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const controller = new AbortController()
  const pending = Publisher.standby('pose', Pose, { directory, signal: controller.signal })
  await delay(25)
  controller.abort(new Error('enough'))
  const error = await t.throwsAsync(pending, { code: 'ERR_ABORTED' })
  t.is((error.cause as Error).message, 'enough')
  publisher.close()
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory, signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
})

scene('what waiting cannot mend ends a standby at once', async (t, { directory }) => {
  const nowhere = `${directory}/none`
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory: nowhere }), { code: 'ERR_NOT_FOUND', message: /none/ })
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const Speed = struct({ speed: f64 })
  await t.throwsAsync(Publisher.standby('pose', Speed, { directory, timeout: 20 }), { code: 'ERR_TIMEOUT' })
})
