import { setTimeout as delay } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'
import { Cast } from './helpers/workers.js'

scene('a publisher in one worker, consumers in others and here', async (t, { directory }) => {
  const publisher = new Cast('worker', { role: 'publisher', directory })
  await publisher.says('ready')
  const consumers = [1, 2, 3].map(() => new Cast('worker', { role: 'consumer', directory }))
  for (const consumer of consumers) await consumer.says('ready')
  using here = Consumer.open('pose', Pose, { directory })
  for (const consumer of consumers) await consumer.says('follows')
  await delay(1000)
  t.true(here.totalWrites > 1)
  publisher.tell('stop')
  const { writes } = await publisher.says('done')
  for (const consumer of consumers) {
    const seen = await consumer.says('done')
    t.like(seen, { wrong: 0, backwards: 0, last: Number(writes) - 1 })
    t.log(`${seen.changes} changes`)
    await consumer.end()
  }
  await publisher.end()
  t.deepEqual(here.readChange(), pose(Number(writes) - 1))
})

scene('workers that come and go leave nothing', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), maxConsumers: 2 })
  for (let round = 0; round < 20; round++) {
    const workers = [
      new Cast('worker', { role: 'reader that awaits a change', directory }),
      new Cast('worker', { role: 'reader that awaits a lock', directory }),
    ]
    for (const worker of workers) await worker.says('waiting')
    if (round % 2 === 0) publisher.write(pose(round))
    await Promise.all(workers.map(worker => worker.terminate()))
  }
  publisher.write(pose(99))
  using consumer = Consumer.open('pose', Pose, { directory })
  t.deepEqual(consumer.read(), pose(99))
})
