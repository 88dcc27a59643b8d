// A worker thread that plays one role in a publication of its process.
import { setImmediate as turn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'

const { role, directory } = workerData as { role: string; directory: string }
const say = (event: string, facts: object = {}) => parentPort?.postMessage({ event, ...facts })
const open = () => Consumer.open('pose', Pose, { directory })
const timeout = 60_000

/** What the garbage collector must not let go of. */
const kept: unknown[] = []

const roles: Record<string, () => Promise<void> | void> = {
  /** Publishes until it is told to stop. */
  publisher: async () => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(0) })
    let stopped = false
    parentPort?.once('message', () => {
      stopped = true
    })
    say('ready')
    while (!stopped) {
      for (let burst = 0; burst < 100; burst++) publisher.write(pose(publisher.totalWrites))
      await turn()
    }
    say('done', { writes: publisher.totalWrites })
  },

  /** Follows until the end, and checks every value. */
  consumer: async () => {
    using consumer = open()
    const seen = { changes: 0, reads: 0, wrong: 0, backwards: 0, last: -1 }
    const check = ({ field1, field2, name, trail }: ReturnType<typeof pose>) => {
      seen.wrong += Number(field2 !== field1 / 2 || name !== `pose ${field1}` || trail.some(value => value !== field1))
      seen.backwards += Number(field1 < seen.last)
      seen.last = field1
    }
    say('ready')
    for await (const value of consumer.changes()) {
      seen.changes += 1
      if (seen.changes === 2) say('follows')
      check(value)
      for (let burst = 0; burst < 20 && !consumer.closed; burst++) {
        const change = consumer.readChange()
        if (change === undefined) continue
        seen.reads += 1
        check(change)
      }
    }
    say('done', seen)
  },

  'reader that awaits a lock': async () => {
    const consumer = open()
    say('waiting')
    kept.push(await consumer.readLockAsync({ timeout }))
    say('woken')
  },

  'reader that awaits a change': async () => {
    const consumer = open()
    say('waiting')
    for await (const _ of consumer.changes()) say('woken')
  },
}

await roles[role]?.()
