import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Broker, bytes, Consumer, DescriptorChannel, Publisher, Region, SharedMemory } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { type Peer, ProcessPeer, WorkerPeer } from './peers.js'

type Case = (directory: string, started: Peer[]) => Promise<void> | void

const timeout = 60_000

async function publishBetween(publisher: Peer, consumer: Peer): Promise<void> {
  assert.equal((await publisher.says('ready')).answered, 7)
  const { values, ...seen } = await consumer.says('done')
  assert.deepEqual(seen, { event: 'done', wrong: 0, backwards: 0, last: 300, answers: 1 })
  assert.ok(Number(values) > 1, `${values} values were seen`)
}

/** What other systems have not, or by another name than that of the memory: docs/platforms.md. */
export const LINUX_ONLY: readonly string[] = [
  'a segment that is cut short is an error',
  'a broker whose clients are processes and workers',
  'a region is passed over a channel',
]

/** What every runtime must do. Peers that are started are killed afterwards. */
export const cases: Record<string, Case> = {
  'values, locks and bytes in one process': directory => {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
    const consumer = Consumer.open('pose', Pose, { directory })
    assert.deepEqual(consumer.read(), pose(1))
    publisher.update({ field1: 5 })
    publisher.withWrite(value => {
      value.name = 'in place'
    })
    const lock = consumer.readLock()
    assert.deepEqual([lock.value.field1, lock.value.name], [5, 'in place'])
    lock.release()
    assert.throws(() => lock.value.field1, { code: 'ERR_RELEASED' })
    const dynamic = Consumer.openDynamic('pose', { directory, readOnly: true })
    assert.equal((dynamic.read() as { field1: number }).field1, 5)
    for (const each of [publisher, consumer, dynamic]) each.close()
    assert.throws(() => consumer.read(), { code: 'ERR_DISPOSED' })
    const blob = Publisher.create('blob', bytes(100_000), { directory, init: new Uint8Array(100_000).fill(3) })
    assert.deepEqual(Consumer.open('blob', bytes(100_000), { directory }).read(), new Uint8Array(100_000).fill(3))
    blob.close()
  },

  'two processes': async (directory, started) => {
    const peers = [new ProcessPeer('publisher', directory), new ProcessPeer('consumer', directory)] as const
    started.push(...peers)
    await publishBetween(...peers)
  },

  'two workers': async (directory, started) => {
    const peers = [new WorkerPeer('publisher', directory), new WorkerPeer('consumer', directory)] as const
    started.push(...peers)
    await publishBetween(...peers)
  },

  'a killed publisher has a successor': async (directory, started) => {
    const first = new ProcessPeer('publisher to be killed', directory)
    started.push(first)
    await first.says('ready')
    using consumer = Consumer.open('pose', Pose, { directory })
    const pending = Publisher.standby('pose', Pose, { directory, timeout })
    assert.deepEqual([consumer.read(), consumer.publisherAlive], [pose(2), true])
    await first.kill()
    using second = await pending
    second.write(pose(3))
    assert.deepEqual([consumer.read(), consumer.epoch, second.adopted], [pose(3), 2, true])
  },

  'a killed consumer is not waited for': async (directory, started) => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
    const consumer = new ProcessPeer('consumer to be killed', directory)
    started.push(consumer)
    assert.equal((await consumer.says('ready')).field1, 1)
    assert.throws(() => publisher.write(pose(2), { timeout: 10 }), { code: 'ERR_TIMEOUT' })
    await consumer.kill()
    publisher.write(pose(3), { timeout })
  },

  'a worker is terminated while it waits': async (directory, started) => {
    using publisher = Publisher.create('pose', Pose, { directory })
    const waiting = new WorkerPeer('consumer that waits', directory)
    started.push(waiting)
    await waiting.says('ready')
    await waiting.kill()
    publisher.write(pose(1))
  },

  'a segment that is cut short is an error': directory => {
    using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
    using consumer = Consumer.open('pose', Pose, { directory })
    assert.deepEqual(consumer.read(), pose(1))
    truncateSync(join(directory, 'pose'), 0)
    assert.throws(() => consumer.read(), { code: 'ERR_TRUNCATED' })
    assert.throws(() => publisher.write(pose(2)), { code: 'ERR_TRUNCATED' })
  },

  'a region of two processes and two workers': async (directory, started) => {
    SharedMemory.open('words', 'x+', { directory, size: 65_536 }).close()
    using region = Region.map({ source: { shm: 'words', directory }, access: 'rw' })
    region.bytes[8] = 42
    const role = 'adder'
    const peers = [
      new ProcessPeer(role, directory),
      new WorkerPeer(role, directory),
      new ProcessPeer(role, directory),
      new WorkerPeer(role, directory),
    ]
    started.push(...peers)
    for (const peer of peers) assert.equal((await peer.says('done')).first, 42)
    assert.equal(new Int32Array(region.sharedBuffer)[0], 4000)
    const view = region.bytes
    region.close()
    assert.equal(view.length, 0)
  },

  'a broker whose clients are processes and workers': async (directory, started) => {
    using broker = Broker.listen(join(directory, 'broker'))
    using client = await Broker.connect(broker.path)
    const role = 'client'
    const peers = [new ProcessPeer(role, directory), new WorkerPeer(role, directory)]
    started.push(...peers)
    using region = await client.allocate('words', { size: 65_536 })
    for (const peer of peers) await peer.says('done')
    assert.equal(region.view(Int32Array)[0], 2000)
    assert.equal((await client.list()).length, 3)
    for (const peer of peers) await peer.kill()
    while ((await client.list({ timeout })).length > 1) await new Promise(resolve => setTimeout(resolve, 1))
    region.seal(['future-write'])
    using same = await client.get('words')
    assert.deepEqual([same.access, same.seals], ['r', ['shrink', 'grow', 'future-write']])
    broker.close()
    await assert.rejects(client.list(), { code: 'ERR_BROKER_GONE' })
    assert.equal(region.view(Int32Array)[0], 2000)
  },

  'a region is passed over a channel': async (directory, started) => {
    using listener = DescriptorChannel.listen(join(directory, 'channel'))
    using region = Region.map({ size: 65_536 })
    for (const Peer of [ProcessPeer, WorkerPeer]) {
      const peer = new Peer('channel', directory)
      started.push(peer)
      using channel = await listener.accept({ timeout })
      await channel.send({ bytes: Buffer.from('words'), descriptors: [region] })
      using message = await channel.receive({ timeout })
      assert.equal(String(Buffer.from(message?.bytes ?? [])), 'words and back')
      assert.equal(await channel.receive({ timeout }), undefined)
    }
    assert.equal(region.view(Int32Array)[0], 2000)
  },

  'waits end': async directory => {
    using empty = Publisher.create('pose', Pose, { directory })
    using consumer = Consumer.open('pose', Pose, { directory })
    assert.throws(() => consumer.read({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
    await assert.rejects(Consumer.waitAndOpen('none', Pose, { directory, timeout: 20 }), { code: 'ERR_TIMEOUT' })
    assert.equal(empty.totalWrites, 0)
  },
}
