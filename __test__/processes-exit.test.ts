import { Consumer, Publisher } from 'pagecast'
import type { Child, Exit } from './helpers/child.js'
import { Pose, pose } from './helpers/pose.js'
import { type Scene, scene } from './helpers/scene.js'

/** How a process can end without disposing of anything, and what its parent sees. */
const deaths: Record<string, Exit> = {
  return: { code: 0, signal: null },
  throw: { code: 1, signal: null },
  'process.exit': { code: 3, signal: null },
  SIGINT: { code: null, signal: 'SIGINT' },
  SIGTERM: { code: null, signal: 'SIGTERM' },
  SIGKILL: { code: null, signal: 'SIGKILL' },
}

/** How a thread can: its process lives on. */
const threadDeaths = ['worker return', 'worker throw', 'worker process.exit', 'worker.terminate']

const ways = [...Object.keys(deaths), ...threadDeaths]

async function ready(scene: Scene, role: string, way: string, buffers: number): Promise<Child> {
  const child = scene.child('exits', [role, way, buffers])
  await child.says('ready')
  return child
}

/** Until the process, or its thread, is gone. */
async function die(t: { deepEqual(a: Exit, b: Exit): void }, child: Child, way: string): Promise<void> {
  if (way.startsWith('SIG')) child.kill(way as NodeJS.Signals)
  else child.tell('go')
  const exit = deaths[way]
  if (exit === undefined) await child.says('gone')
  else t.deepEqual(await child.exit, exit)
}

for (const way of ways) {
  scene(`a publisher that is gone can be adopted: ${way}`, async (t, scene) => {
    const { directory } = scene
    const child = await ready(scene, 'publisher', way, 3)
    using consumer = Consumer.open('pose', Pose, { directory })
    t.true(consumer.publisherAlive)
    t.throws(() => Publisher.create('pose', Pose, { directory }), { code: 'ERR_PUBLISHER_EXISTS' })

    await die(t, child, way)
    t.deepEqual(scene.names(), ['pose'])
    t.false(consumer.publisherAlive)
    t.false(consumer.closed)
    t.deepEqual(consumer.read(), pose(1)) // the last value stays

    using publisher = Publisher.create('pose', Pose, { directory })
    t.true(publisher.adopted)
    t.true(consumer.publisherAlive)
    t.is(consumer.epoch, 2)
    publisher.write(pose(2))
    t.deepEqual(consumer.read(), pose(2))
  })

  scene(`a consumer that is gone holds nothing and leaves its slot: ${way}`, async (t, scene) => {
    const { directory } = scene
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1, maxConsumers: 1 })
    const child = await ready(scene, 'reader', way, 1)
    t.throws(() => Consumer.open('pose', Pose, { directory }), { code: 'ERR_TOO_MANY_CONSUMERS' })
    const held = { code: 'ERR_TIMEOUT', message: new RegExp(`pid ${child.pid}\\b.*slot 0`) }
    t.throws(() => publisher.write(pose(2), { timeout: 20 }), held)

    await die(t, child, way)
    publisher.write(pose(2))
    using consumer = Consumer.open('pose', Pose, { directory })
    t.deepEqual(consumer.read(), pose(2))
  })

  scene(`a publisher that is gone while it writes leaves no torn value, buffers: 1: ${way}`, async (t, scene) => {
    const { directory } = scene
    const child = await ready(scene, 'writer', way, 1)
    using consumer = Consumer.open('pose', Pose, { directory })
    t.throws(() => consumer.read({ timeout: 20 }), { code: 'ERR_TIMEOUT', message: new RegExp(`pid ${child.pid}\\b`) })

    await die(t, child, way)
    t.throws(() => consumer.read(), { code: 'ERR_PUBLISHER_DIED', message: new RegExp(`pid ${child.pid}\\b`) })
    t.is(consumer.tryReadLock(), undefined)
    await t.throwsAsync(consumer.readLockAsync(), { code: 'ERR_PUBLISHER_DIED' })

    using publisher = Publisher.create('pose', Pose, { directory })
    t.true(publisher.adopted)
    t.throws(() => consumer.read(), { code: 'ERR_EMPTY' })
    publisher.write(pose(3))
    t.deepEqual(consumer.read(), pose(3))
  })

  scene(`a publisher that is gone while it writes leaves the value before, buffers: 3: ${way}`, async (t, scene) => {
    const { directory } = scene
    const child = await ready(scene, 'writer', way, 3)
    using consumer = Consumer.open('pose', Pose, { directory })
    await die(t, child, way)
    t.deepEqual(consumer.read(), pose(1))
    using publisher = Publisher.create('pose', Pose, { directory })
    t.deepEqual(consumer.read(), pose(1))
    t.is(publisher.totalWrites, 1)
    publisher.write(pose(2))
    t.deepEqual(consumer.read(), pose(2))
    t.is(consumer.totalWrites, 2)
  })
}

for (const [way, code] of [
  ['dispose and return', 0],
  ['throw through using', 1],
  ['SIGTERM, handled', 0],
] as const) {
  scene(`a publisher that disposes takes its name with it: ${way}`, async (t, scene) => {
    const { directory } = scene
    const child = await ready(scene, 'publisher', way, 3)
    using consumer = Consumer.open('pose', Pose, { directory })
    if (way.startsWith('SIG')) child.kill('SIGTERM')
    else child.tell('go')
    t.deepEqual(await child.exit, { code, signal: null })
    t.deepEqual(scene.names(), [])
    t.true(consumer.closed)
    t.deepEqual(consumer.readChange(), pose(1))
    t.throws(() => consumer.read(), { code: 'ERR_CLOSED' })
  })
}

scene('an iteration waits through the death of its publisher and goes on with the next one', async (t, scene) => {
  const { directory } = scene
  const child = await ready(scene, 'publisher', 'SIGKILL', 3)
  using consumer = Consumer.open('pose', Pose, { directory })
  const changes = consumer.changes()
  t.deepEqual(await changes.next(), { done: false, value: pose(1) })
  const pending = changes.next()
  await die(t, child, 'SIGKILL')
  using publisher = Publisher.create('pose', Pose, { directory })
  publisher.write(pose(2))
  t.deepEqual(await pending, { done: false, value: pose(2) })
  await changes.return?.()
})

scene('a child that outlives its killed parent does not keep it attached', async (t, scene) => {
  const { directory } = scene
  const child = scene.child('outlived')
  await child.says('ready')
  const { pid } = await child.says('grandchild')
  try {
    using consumer = Consumer.open('pose', Pose, { directory })
    t.true(consumer.publisherAlive)
    child.kill('SIGKILL')
    await child.gone
    process.kill(Number(pid), 0) // the grandchild lives
    t.false(consumer.publisherAlive)
    using publisher = Publisher.create('pose', Pose, { directory })
    t.true(publisher.adopted)
  } finally {
    process.kill(Number(pid), 'SIGKILL')
  }
})
