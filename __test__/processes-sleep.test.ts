import type { ExecutionContext } from 'ava'
import { Consumer, Publisher } from 'pagecast'
import { Clock } from './helpers/clock.js'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

const ROUNDS = 3000
/** Less than so many lost wake-ups take, at 20 to 50 ms each. */
const SECONDS = 45
/** Where the cores are others' it may take longer than that. */
const watchdog = { seconds: 300 }

/** Fails if it takes as long as it does with lost wake-ups, and not because others had the cores. */
async function inTime(t: ExecutionContext, play: () => Promise<void>): Promise<void> {
  using clock = new Clock()
  await play()
  const { elapsed, late, isBusy } = clock
  const account = `${(elapsed / 1000).toFixed(1)} s, a clock beside it was late ${(100 * late).toFixed(1)} % of the time`
  t.log(account)
  t.true(elapsed < 1000 * SECONDS || isBusy, account)
}

for (const role of ['reader', 'async reader']) {
  scene(`a ${role} in another process that waits for the first value is woken`, async (t, scene) => {
    using publisher = Publisher.create('pose', Pose, { directory: scene.directory })
    const child = scene.child('sleepers', [role])
    await child.says('waiting')
    await child.fallsAsleep()
    publisher.write(pose(1))
    t.like(await child.says('woken'), { field1: 1, version: 1 })
    await child.succeeds()
  })

  scene(`a ${role} in another process that waits for the end of a write is woken`, async (t, scene) => {
    using publisher = Publisher.create('pose', Pose, { directory: scene.directory, init: pose(1), buffers: 1 })
    const lock = publisher.writeLock()
    const child = scene.child('sleepers', [role])
    await child.says('waiting')
    await child.fallsAsleep()
    lock.value.field1 = 2
    lock.release()
    t.like(await child.says('woken'), { field1: 2, version: 2 })
    await child.succeeds()
  })

  scene(`a ${role} in another process is woken by a write that is given up`, async (t, scene) => {
    using publisher = Publisher.create('pose', Pose, { directory: scene.directory, init: pose(1), buffers: 1 })
    const lock = publisher.writeLock()
    const child = scene.child('sleepers', [role])
    await child.says('waiting')
    await child.fallsAsleep()
    lock.abort()
    t.like(await child.says('woken'), { field1: 1, version: 1 })
    await child.succeeds()
  })

  scene(`a ${role} in another process waits through the death of a publisher for the next one`, async (t, scene) => {
    const { directory } = scene
    const publisher = scene.child('exits', ['writer', 'SIGKILL', 1])
    await publisher.says('ready')
    const child = scene.child('sleepers', [role])
    await child.says('waiting')
    await child.fallsAsleep()
    publisher.kill('SIGKILL')
    await publisher.exit
    using next = Publisher.create('pose', Pose, { directory })
    next.write(pose(3))
    t.like(await child.says('woken'), { field1: 3 })
    await child.succeeds()
  })
}

scene('a writer in another process that waits for a reader is woken', async (t, scene) => {
  const child = scene.child('sleepers', ['writer'])
  await child.says('ready')
  using consumer = Consumer.open('pose', Pose, { directory: scene.directory })
  const lock = consumer.readLock()
  child.tell('go')
  await child.says('waiting')
  await child.fallsAsleep()
  t.is(lock.value.field1, 1)
  lock.release()
  await child.says('woken')
  t.deepEqual(consumer.read(), pose(2))
  child.tell('go')
  await child.succeeds()
})

scene('a writer in another process that waits for a reader is woken by its death', async (t, scene) => {
  const child = scene.child('sleepers', ['writer'])
  await child.says('ready')
  const reader = scene.child('exits', ['reader', 'SIGKILL', 1])
  await reader.says('ready')
  child.tell('go')
  await child.says('waiting')
  await child.fallsAsleep()
  reader.kill('SIGKILL')
  await child.says('woken')
  using consumer = Consumer.open('pose', Pose, { directory: scene.directory })
  t.deepEqual(consumer.read(), pose(2))
  child.tell('go')
  await child.succeeds()
})

for (const role of ['patient reader', 'patient async reader']) {
  scene(
    `no wake-up is lost: ${role}`,
    async (t, scene) => {
      const writer = scene.child('sleepers', ['busy writer'])
      await writer.says('ready')
      await inTime(t, async () => {
        const reader = scene.child('sleepers', [role, ROUNDS])
        await reader.says('done')
        await reader.succeeds()
      })
      writer.tell('stop')
      await writer.succeeds()
    },
    watchdog,
  )
}

scene(
  'no wake-up is lost: patient writer',
  async (t, scene) => {
    const writer = scene.child('sleepers', ['patient writer', ROUNDS])
    await writer.says('ready')
    const reader = scene.child('sleepers', ['busy reader'])
    await reader.says('ready')
    await inTime(t, async () => {
      writer.tell('go')
      await writer.says('done')
    })
    reader.tell('stop')
    await reader.succeeds()
    writer.tell('stop')
    await writer.succeeds()
  },
  watchdog,
)

scene(
  'no wake-up is lost: two iterations that answer each other',
  async (t, scene) => {
    const { directory } = scene
    using ping = Publisher.create('ping', Pose, { directory })
    const child = scene.child('sleepers', ['echo'])
    await child.says('ready')
    using pong = Consumer.open('pong', Pose, { directory })
    const answers = pong.changes()
    await inTime(t, async () => {
      for (let round = 1; round <= ROUNDS; round++) {
        ping.write(pose(round))
        const { value } = await answers.next()
        if (value.field1 !== round) t.fail(`answer ${value.field1} in round ${round}`)
      }
    })
    await answers.return?.()
    ping.close()
    await child.succeeds()
  },
  watchdog,
)
