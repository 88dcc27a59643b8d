import { setTimeout as delay } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

scene('changes gives the current value first, then newer ones', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  let number = 1
  for await (const value of consumer.changes()) {
    t.deepEqual(value, pose(number))
    if (number === 20) break
    number += 1
    if (number % 2 === 0) publisher.write(pose(number))
    else setTimeout(() => publisher.write(pose(number)), 1)
  }
  t.is(number, 20)
})

for (const buffers of [1, 3]) {
  for (const readOnly of [false, true]) {
    scene(`changes waits for the first value, ${buffers} buffers, readOnly ${readOnly}`, async (t, { directory }) => {
      using publisher = Publisher.create('pose', Pose, { directory, buffers })
      using consumer = Consumer.open('pose', Pose, { directory, readOnly })
      const changes = consumer.changes()
      for (let number = 1; number <= 5; number++) {
        const next = changes.next()
        await delay(15)
        publisher.write(pose(number))
        t.deepEqual(await next, { done: false, value: pose(number) })
      }
      await changes.return?.()
    })
  }
}

scene('a slow reader of changes skips to the newest value', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const seen: number[] = []
  for await (const value of consumer.changes()) {
    seen.push(value.field1)
    if (value.field1 === 30) break
    for (let step = 1; step < 11 && value.field1 < 30; step++) publisher.write(pose(Math.min(30, value.field1 + step)))
  }
  t.deepEqual(seen, [1, 11, 21, 30])
})

scene('nothing is held while a value of changes is used', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  for await (const value of consumer.changes()) {
    publisher.write(pose(value.field1 + 1), { timeout: 0 })
    using lock = consumer.readLock()
    t.is(lock.value.field1, value.field1 + 1)
    if (value.field1 === 5) break
  }
})

scene('changes goes on while the same consumer holds a read lock', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 3 })
  using consumer = Consumer.open('pose', Pose, { directory })
  using lock = consumer.readLock()
  const seen: number[] = []
  for await (const value of consumer.changes()) {
    seen.push(value.field1)
    if (value.field1 === 3) break
    publisher.write(pose(value.field1 + 1))
  }
  t.deepEqual(seen, [1, 2, 3])
  t.is(lock.value.field1, 1)
})

scene('maxRate gives the newest value, at most so many times a second', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(0) })
  using consumer = Consumer.open('pose', Pose, { directory })
  let number = 0
  const timer = setInterval(() => {
    for (let times = 0; times < 10; times++) publisher.write(pose(++number))
  }, 2)
  const start = performance.now()
  const seen: number[] = []
  for await (const value of consumer.changes({ maxRate: 20 })) {
    seen.push(value.field1)
    if (seen.length === 5) break
  }
  clearInterval(timer)
  t.true(performance.now() - start >= 4 * 49) // four pauses of 50 ms
  t.true(number > seen.length * 2)
  for (const [index, value] of seen.entries()) t.true(index === 0 || value > Number(seen[index - 1]))
})

scene('withMeta tells version, age and epoch', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  publisher.write(pose(2))
  for await (const { value, version, stalenessMs, epoch } of consumer.changes({ withMeta: true })) {
    t.deepEqual(value, pose(version))
    t.true(stalenessMs >= 0)
    t.is(epoch, 1)
    if (version === 4) break
    publisher.write(pose(version + 1))
  }
})

scene('a signal ends changes with its reason', async (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const controller = new AbortController()
  let values = 0
  const error = await t.throwsAsync(
    async () => {
      for await (const value of consumer.changes({ signal: controller.signal })) {
        t.deepEqual(value, pose(1))
        values += 1
        setTimeout(() => controller.abort(new Error('enough')), 20)
      }
    },
    { code: 'ERR_ABORTED' },
  )
  t.is((error.cause as Error).message, 'enough')
  t.is(values, 1)
  await t.throwsAsync(consumer.changes({ signal: AbortSignal.abort() }).next(), { code: 'ERR_ABORTED' })
})

scene('return ends a wait at once', async (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  const changes = consumer.changes()
  const pending = changes.next()
  await delay(20)
  await changes.return?.()
  t.deepEqual(await pending, { done: true, value: undefined })
  t.deepEqual(await changes.next(), { done: true, value: undefined })
})

scene('disposing of the consumer ends its iterations', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const consumer = Consumer.open('pose', Pose, { directory })
  const values = [0, 0, 0]
  const ended = [consumer.changes(), consumer.changes({ maxRate: 1 }), consumer.changes({ reopen: true })].map(async (changes, index) => {
    for await (const _ of changes) values[index] = (values[index] ?? 0) + 1
  })
  while (values.includes(0)) await delay(1)
  await delay(20) // they wait for the next one
  consumer[Symbol.dispose]()
  await Promise.all(ended)
  t.deepEqual(values, [1, 1, 1])
  publisher.write(pose(2))
})

scene('two iterations of one consumer are independent', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const both: [number[], number[]] = [[], []]
  const ended = both.map(async seen => {
    for await (const { field1 } of consumer.changes()) if (seen.push(field1) === 5) break
  })
  for (let number = 2; number <= 5; number++) {
    while (both.some(seen => seen.length < number - 1)) await delay(1) // who is slow skips values
    publisher.write(pose(number))
  }
  await Promise.all(ended)
  t.deepEqual(both, [
    [1, 2, 3, 4, 5],
    [1, 2, 3, 4, 5],
  ])
})

scene('a closed publication gives its last value and then ends', async (t, { directory }) => {
  const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const seen: number[] = []
  for await (const { field1 } of consumer.changes()) {
    seen.push(field1)
    if (field1 === 1) {
      publisher.write(pose(2))
      publisher[Symbol.dispose]()
    }
  }
  t.deepEqual(seen, [1, 2])
  const again: number[] = []
  for await (const { field1 } of consumer.changes()) again.push(field1)
  t.deepEqual(again, [2])
})

scene('a close while a value is awaited ends the iteration', async (t, { directory }) => {
  const publisher = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  const pending = consumer.changes().next()
  await delay(20)
  publisher.close()
  t.deepEqual(await pending, { done: true, value: undefined })
})

scene('a replaced publication throws after its last value', async (t, { directory }) => {
  Publisher.create('pose', Pose, { directory, init: pose(1) }).close({ keep: true })
  using consumer = Consumer.open('pose', Pose, { directory })
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(2), ifDead: 'replace' })
  const seen: number[] = []
  await t.throwsAsync(
    async () => {
      for await (const { field1 } of consumer.changes()) seen.push(field1)
    },
    { code: 'ERR_REPLACED' },
  )
  t.deepEqual(seen, [1])
  t.is(publisher.totalWrites, 1)
})

scene('reopen follows the name through adoption, replacement and absence', async (t, { directory }) => {
  let publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const steps: Record<number, () => void> = {
    1: () => publisher.close({ keep: true }),
    2: () => publisher.close({ keep: true }),
    3: () => publisher.close(),
    4: () => publisher.close(),
  }
  const next: Record<number, () => void> = {
    1: () => (publisher = Publisher.create('pose', Pose, { directory, init: pose(2) })),
    2: () => (publisher = Publisher.create('pose', Pose, { directory, init: pose(3), ifDead: 'replace' })),
    3: () => (publisher = Publisher.create('pose', Pose, { directory, init: pose(4) })),
    4: () => (publisher = Publisher.create('pose', Pose, { directory, init: pose(5), buffers: 1 })),
  }
  const seen: number[] = []
  for await (const { field1 } of consumer.changes({ reopen: true })) {
    seen.push(field1)
    if (field1 === 5) break
    steps[field1]?.()
    setTimeout(() => next[field1]?.(), 20)
  }
  t.deepEqual(seen, [1, 2, 3, 4, 5])
  t.deepEqual(consumer.read(), pose(5))
  publisher.close()
})

scene('an awaited change does not block the event loop', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory })
  using consumer = Consumer.open('pose', Pose, { directory })
  const next = consumer.changes().next()
  let ticks = 0
  const timer = setInterval(() => {
    ticks += 1
    if (ticks === 20) publisher.write(pose(1))
  }, 2)
  await next
  clearInterval(timer)
  t.true(ticks >= 20)
})
