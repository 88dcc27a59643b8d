import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { Broker, type BrokerClient, DescriptorChannel, PAGE_SIZE, Region } from 'pagecast'
import { descriptors } from './helpers/descriptors.js'
import { untilIdle } from './helpers/load.js'
import { type Scene, scene } from './helpers/scene.js'

const LONG = { timeout: 50_000 }
const bytes = (said: string): Uint8Array => Buffer.from(said)

/** A client, and the test in the place of its broker. */
async function pair(directory: string): Promise<[BrokerClient, DescriptorChannel]> {
  using listener = DescriptorChannel.listen(join(directory, 'broker'))
  const connecting = Broker.connect(listener.path, LONG)
  const broker = await listener.accept(LONG)
  await broker.send({ bytes: bytes('{"broker":1,"pid":1}') })
  return [await connecting, broker]
}

/** How many descriptors lead to a memfd called `surplus`. */
function openMemory(): number {
  const links = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return '' // that of the directory
    }
  })
  return links.filter(link => link.startsWith('/memfd:surplus')).length
}

function paired(title: string, play: (t: ExecutionContext, client: BrokerClient, broker: DescriptorChannel) => Promise<void>): void {
  scene(`broker: ${title}`, async (t, { directory }) => {
    const before = descriptors()
    const [client, broker] = await pair(directory)
    await play(t, client, broker)
    client.close()
    broker.close()
    t.is(descriptors(), before)
  })
}

paired('what else it says makes no wait longer', async (t, client, broker) => {
  for (const [id, options, code] of [
    [1, { timeout: 0 }, 'ERR_TIMEOUT'],
    [2, LONG, 'ERR_BAD_MESSAGE'],
  ] as const) {
    for (let other = 100; other < 200; other++) await broker.send({ bytes: bytes(`{"id":${other}}`) })
    await broker.send({ bytes: bytes(`{"id":${id}}`) })
    await t.throwsAsync(client.get('x', options), { code }, 'the answer is behind the others, and has no descriptor')
  }
})

paired('what else it says keeps neither a signal nor the event loop waiting', async (t, client, broker) => {
  for (let other = 100; other < 200; other++) await broker.send({ bytes: bytes(`{"id":${other}}`) })
  await broker.send({ bytes: bytes('{"id":1}') })
  const controller = new AbortController()
  setImmediate(() => controller.abort())
  await t.throwsAsync(client.get('x', { signal: controller.signal, ...LONG }), { code: 'ERR_ABORTED' })
})

scene('broker: one that never stops talking is left by its time', async (t, scene: Scene) => {
  const talker = scene.child('talker')
  await talker.says('serving')
  const client = await Broker.connect(join(scene.directory, 'broker'), LONG)
  const controller = new AbortController()
  const waiting = t.throwsAsync(client.get('x', { signal: controller.signal, ...LONG }), { code: 'ERR_ABORTED' })
  await talker.says('talked')
  for (let ticks = 0; ticks < 3; ticks++) await delay(10) // timers go on, and what is read
  controller.abort()
  await waiting
  await t.throwsAsync(client.get('x', { timeout: 1000 }), { code: 'ERR_TIMEOUT', message: /the broker did not answer/ })
  client.close()
  await talker.says('unheard')
  await talker.succeeds()
})

paired('a list that never ends ends by its time, and lets timers go on', async (t, client, broker) => {
  const page = (id: number) => bytes(`{"id":${id},"entries":[{"name":"n${id}","byteLength":1,"keep":false}],"more":true}`)
  for (let id = 1; id <= 100; id++) await broker.send({ bytes: page(id) })
  const controller = new AbortController()
  setImmediate(() => controller.abort())
  await t.throwsAsync(client.list({ signal: controller.signal, ...LONG }), { code: 'ERR_ABORTED' })
})

paired('descriptors that nobody asked for are closed at once', async (t, client, broker) => {
  using region = Region.map({ source: { memfd: 'surplus' }, size: PAGE_SIZE })
  const before = openMemory()
  const surplus = Array(5).fill(region)
  const answered = async (answer: object, call: Promise<unknown>) => {
    using asked = await broker.receive(LONG)
    t.truthy(asked)
    await broker.send({ bytes: bytes(JSON.stringify(answer)), descriptors: surplus })
    return await call
  }
  await answered({ id: 1 }, client.share('x', region, LONG))
  await answered({ id: 2 }, client.free('x', LONG))
  t.deepEqual(await answered({ id: 3, entries: [] }, client.list(LONG)), [])
  const got = (await answered({ id: 4 }, client.get('x', LONG))) as Region
  got.close()
  const made = (await answered({ id: 5 }, client.allocate('y', { size: PAGE_SIZE, ...LONG }))) as Region
  made.close()
  await t.throwsAsync(answered({ id: 6 }, client.get('x', { size: -1, ...LONG })), { code: 'ERR_INVALID_SIZE' })
  for (const error of ['ERR_NOT_FOUND', 7]) {
    const id = error === 7 ? 8 : 7
    await t.throwsAsync(answered({ id, error, message: 'no' }, client.free('x', LONG)), {
      code: error === 7 ? 'ERR_BAD_MESSAGE' : 'ERR_NOT_FOUND',
    })
  }
  t.is(openMemory(), before)
})

paired('what is no text is no message of a refusal', async (t, client, broker) => {
  using region = Region.map({ source: { memfd: 'surplus' }, size: PAGE_SIZE })
  const before = openMemory()
  for (const [index, message] of ['{"toString":1,"valueOf":1}', '7', 'null'].entries()) {
    const call = client.free('x', LONG)
    await broker.receive(LONG)
    await broker.send({ bytes: bytes(`{"id":${index + 1},"error":"ERR_X","message":${message}}`), descriptors: [region] })
    await t.throwsAsync(call, { code: 'ERR_BAD_MESSAGE', message: 'free x: not what a broker says' })
  }
  t.is(openMemory(), before)
})

scene('broker: a greeting that is none is found out', async (t, { directory }) => {
  using listener = DescriptorChannel.listen(join(directory, 'broker'))
  for (const greeting of ['{"broker":{"toString":1,"valueOf":1}}', '{"broker":"1"}', '{"error":"ERR_X","message":{"toString":1}}']) {
    const connecting = t.throwsAsync(Broker.connect(listener.path, LONG), { code: 'ERR_BAD_MESSAGE' })
    using channel = await listener.accept(LONG)
    await channel.send({ bytes: bytes(greeting) })
    await connecting
  }
})

scene('broker: it sleeps while a client neither reads nor stops asking', async (t, scene) => {
  using broker = Broker.listen(join(scene.directory, 'broker'))
  using client = await DescriptorChannel.connect(broker.path, LONG)
  const call = bytes('{"id":1,"call":"list"}')
  const ask = async () => {
    for (;;) await client.send({ bytes: call }, { timeout: 300 })
  }
  await t.throwsAsync(ask(), { code: 'ERR_TIMEOUT' }, 'until it is not heard any more')
  scene.doing('waiting until it sleeps')
  await untilIdle()
  t.truthy(await client.receive(LONG))
})
