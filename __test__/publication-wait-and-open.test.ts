import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Consumer, f64, Publisher, struct } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

scene('waitAndOpen opens what is there', async (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = await Consumer.waitAndOpen('pose', Pose, { directory })
  t.deepEqual(consumer.read(), pose(1))
})

scene('waitAndOpen waits for what is not there yet', async (t, { directory }) => {
  const pending = Consumer.waitAndOpen('pose', Pose, { directory, timeout: 30_000 })
  await delay(30)
  using other = Publisher.create('other', Pose, { directory, init: pose(9) })
  await delay(30)
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = await pending
  t.deepEqual(consumer.read(), pose(1))
  t.is(publisher.totalWrites + other.totalWrites, 2)
})

scene('waitAndOpen can wait for many at once', async (t, { directory }) => {
  const names = Array.from({ length: 30 }, (_, number) => `pose-${number}`)
  const pending = names.map(name => Consumer.waitAndOpen(name, Pose, { directory, timeout: 30_000 }))
  await delay(20)
  const publishers = names.map((name, number) => Publisher.create(name, Pose, { directory, init: pose(number) }))
  const consumers = await Promise.all(pending)
  t.deepEqual(
    consumers.map(consumer => consumer.read().field1),
    names.map((_, number) => number),
  )
  for (const one of [...consumers, ...publishers]) one[Symbol.dispose]()
})

scene('the directory is part of the name', async (t, { directory }) => {
  const [one, two] = [join(directory, 'one'), join(directory, 'two')]
  mkdirSync(one)
  mkdirSync(two)
  const pending = Consumer.waitAndOpen('pose', Pose, { directory: two, timeout: 30_000 })
  {
    using _ = Publisher.create('pose', Pose, { directory: one, init: pose(1) })
    await delay(30)
    using __ = Publisher.create('pose', Pose, { directory: two, init: pose(2) })
    using consumer = await pending
    t.deepEqual(consumer.read(), pose(2))
  }
  rmdirSync(one)
  rmdirSync(two)
})

scene('waitAndOpen gives up after its timeout', async (t, { directory }) => {
  await t.throwsAsync(Consumer.waitAndOpen('pose', Pose, { directory, timeout: 30 }), { code: 'ERR_TIMEOUT', message: /pose.*30 ms/ })
  await t.throwsAsync(Consumer.waitAndOpen('pose', Pose, { directory, timeout: 0 }), { code: 'ERR_TIMEOUT' })
})

scene('waitAndOpen ends by its signal', async (t, { directory }) => {
  const controller = new AbortController()
  const pending = Consumer.waitAndOpen('pose', Pose, { directory, signal: controller.signal })
  await delay(10)
  controller.abort(new Error('enough'))
  const error = await t.throwsAsync(pending, { code: 'ERR_ABORTED' })
  t.is((error.cause as Error).message, 'enough')
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  await t.throwsAsync(Consumer.waitAndOpen('pose', Pose, { directory, signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
})

scene('waitAndOpen passes over a closed publication until it lives again', async (t, { directory }) => {
  Publisher.create('pose', Pose, { directory, init: pose(1) }).close({ keep: true })
  const pending = Consumer.waitAndOpen('pose', Pose, { directory, timeout: 30_000 })
  await delay(30)
  using _ = Publisher.create('pose', Pose, { directory, init: pose(2) })
  using consumer = await pending
  t.deepEqual(consumer.read(), pose(2))
})

scene('what waiting cannot mend is thrown at once', async (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const Other = struct({ speed: f64 })
  await t.throwsAsync(Consumer.waitAndOpen('pose', Other, { directory }), { code: 'ERR_SCHEMA_MISMATCH' })
  await t.throwsAsync(Consumer.waitAndOpen('pose', Pose, { directory: join(directory, 'none') }), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(async () => Consumer.waitAndOpen('a/b', Pose, { directory }), { code: 'ERR_INVALID_NAME' })
  using publisher = Publisher.create({ memfd: 'pose' }, Pose)
  for (const place of [{ fd: publisher.fd }, { fd: publisher }, { memfd: 'pose' }] as never[]) {
    for (const [wait, open] of [
      ['waitAndOpen', 'open'],
      ['waitAndOpenDynamic', 'openDynamic'],
    ] as const) {
      const message = `${wait}: memory without a name is there already: Consumer.${open}({ fd })`
      await t.throwsAsync(async () => Consumer[wait](place, Pose as never), { code: 'ERR_INVALID_NAME', message })
    }
  }
})

scene('waitAndOpen opens read-only consumers too', async (t, { directory }) => {
  const pending = Consumer.waitAndOpen('pose', Pose, { directory, readOnly: true, timeout: 30_000 })
  await delay(10)
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = await pending
  t.true(consumer.readOnly)
  t.deepEqual(consumer.read(), pose(1))
})

scene('waitAndOpenDynamic takes the type from what comes', async (t, { directory }) => {
  const pending = Consumer.waitAndOpenDynamic('pose', { directory, timeout: 30_000 })
  await delay(10)
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = await pending
  t.is(consumer.schema?.schemaJson, Pose.schemaJson)
  t.deepEqual(consumer.read(), pose(1))
})

scene('waitAndOpen finds a publication in a directory that was made anew meanwhile', async (t, scene) => {
  const directory = join(scene.directory, 'moving')
  mkdirSync(directory)
  const pending = Consumer.waitAndOpen('pose', Pose, { directory, timeout: 30_000 })
  await delay(30)
  rmdirSync(directory)
  mkdirSync(directory)
  {
    using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
    using consumer = await pending
    t.deepEqual(consumer.read(), pose(1))
  }
  rmdirSync(directory)
})
