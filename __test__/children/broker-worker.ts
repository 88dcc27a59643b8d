// A worker that is a broker, or a client of one, until it is ended.
import { parentPort, workerData } from 'node:worker_threads'
import { Broker, DescriptorChannel } from 'pagecast'

const { role, path } = workerData as { role: string; path: string }
const say = (event: string, facts: object = {}) => parentPort?.postMessage({ event, ...facts })
parentPort?.on('message', () => process.exit())

/** What the garbage collector must not let go of: the names of a client that is collected go. */
const kept: unknown[] = []

const roles: Record<string, () => Promise<void> | void> = {
  serve: () => {
    Broker.listen(path)
    say('serving')
  },
  own: async () => {
    const client = await Broker.connect(path)
    const region = await client.allocate('own', { size: 65_536 })
    region.bytes[0] = 5
    kept.push(client, region)
    say('allocated')
  },
  wait: async () => {
    const client = await Broker.connect(path)
    const got = client.get('never', { wait: true, timeout: 3_600_000 })
    say('waiting')
    await got
  },
  receive: async () => {
    const channel = await DescriptorChannel.connect(path)
    const received = channel.receive()
    say('waiting')
    await received
  },
}
await roles[role]?.()
