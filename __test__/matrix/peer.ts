// Plays one role in another process or in a worker: says what it does as lines of JSON, or as messages.

import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Broker, Consumer, DescriptorChannel, type Infer, Publisher, Region } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'

const [role = '', directory = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[])
const timeout = 60_000
const pause = () => new Promise(resolve => setTimeout(resolve, 1))

function say(event: string, facts: object = {}): void {
  if (isMainThread) process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`)
  else parentPort?.postMessage({ event, ...facts })
}

/** Stays until it is killed; what is kept is not collected meanwhile. */
const stayWith = (...kept: object[]) => setInterval(() => kept, 1000)

const roles: Record<string, () => Promise<void> | void> = {
  /** Publishes 300 values once there is a consumer, and closes. */
  publisher: async () => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(0), buffers: 2 })
    using back = await Consumer.waitAndOpen('back', Pose, { directory, timeout })
    say('ready', { answered: back.read({ timeout }).field1 })
    for (let number = 1; number <= 300; number++) {
      publisher.write(pose(number), { timeout })
      if (number % 10 === 0) await pause()
    }
  },

  /** Follows to the end, and says whether every value was whole and newer. */
  consumer: async () => {
    using consumer = await Consumer.waitAndOpen('pose', Pose, { directory, timeout })
    const seen = { values: 0, wrong: 0, backwards: 0, last: -1 }
    const see = ({ field1, field2, name, trail }: Infer<typeof Pose>) => {
      seen.values += 1
      seen.wrong += Number(field2 !== field1 / 2 || name !== `pose ${field1}` || trail.some(value => value !== field1))
      seen.backwards += Number(field1 < seen.last)
      seen.last = field1
    }
    const changes = consumer.changes({ timeout })
    see((await changes.next()).value)
    using back = Publisher.create('back', Pose, { directory, init: pose(7) }) // for which the publisher waits
    for await (const value of changes) see(value)
    say('done', { ...seen, answers: back.totalWrites })
  },

  /** Adds one a thousand times to a word that others add to at the same time. */
  adder: () => {
    using region = Region.map({ source: { shm: 'words', directory }, access: 'rw' })
    const words = new Int32Array(region.sharedBuffer)
    for (let time = 0; time < 1000; time++) Atomics.add(words, 0, 1)
    say('done', { first: region.bytes[8] })
  },

  /** The same, of a region that a broker knows; and has a name of its own. */
  client: async () => {
    const client = await Broker.connect(join(directory, 'broker'))
    using region = await client.get('words', { wait: true, timeout })
    for (let time = 0; time < 1000; time++) Atomics.add(region.view(Int32Array), 0, 1)
    const own = await client.allocate(isMainThread ? 'of a process' : 'of a worker', { size: 65_536 })
    say('done')
    stayWith(client, own)
  },

  /** The same, of a region that it is sent. */
  channel: async () => {
    using channel = await DescriptorChannel.connect(join(directory, 'channel'))
    using message = await channel.receive({ timeout })
    using region = message?.descriptors[0]?.map()
    for (let time = 0; time < 1000; time++) Atomics.add(region?.view(Int32Array) ?? new Int32Array(1), 0, 1)
    await channel.send({ bytes: Buffer.from(`${Buffer.from(message?.bytes ?? [])} and back`) })
  },

  'publisher to be killed': () => {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
    publisher.write(pose(2))
    say('ready')
    stayWith(publisher)
  },

  'consumer to be killed': () => {
    const consumer = Consumer.open('pose', Pose, { directory })
    const lock = consumer.readLock({ timeout })
    say('ready', { field1: lock.value.field1 })
    stayWith(consumer, lock)
  },

  'consumer that waits': () => {
    const consumer = Consumer.open('pose', Pose, { directory })
    say('ready')
    consumer.read({ timeout })
  },
}

await roles[role]?.()
