import { closeSync, openSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import {
  type AllocateOptions,
  Broker,
  type BrokerClient,
  type BrokerOptions,
  ChannelError,
  DescriptorChannel,
  PAGE_SIZE,
  Region,
  SharedMemory,
} from 'pagecast'
import { descriptors } from './helpers/descriptors.js'
import { type Scene, scene } from './helpers/scene.js'

const LONG = { timeout: 50_000 }
const SIZE = 65_536

/** A broker, clients of it, and what they leave open. */
class Stage {
  readonly broker: Broker
  readonly #clients: BrokerClient[] = []

  constructor(directory: string, options?: BrokerOptions) {
    this.broker = Broker.listen(join(directory, 'broker'), options)
  }

  async client(): Promise<BrokerClient> {
    const client = await Broker.connect(this.broker.path, LONG)
    this.#clients.push(client)
    return client
  }

  /** Somebody who speaks for himself, and has been greeted. */
  async stranger(): Promise<DescriptorChannel> {
    const channel = await DescriptorChannel.connect(this.broker.path, LONG)
    const greeting = await channel.receive(LONG)
    if (JSON.parse(text(greeting?.bytes)).broker !== 1) throw new Error(`greeted by ${text(greeting?.bytes)}`)
    return channel
  }

  close(): void {
    for (const client of this.#clients) client.close()
    this.broker.close()
  }
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString()
}

function staged(title: string, play: (t: ExecutionContext, stage: Stage, scene: Scene) => Promise<void>, options?: BrokerOptions): void {
  scene(`broker: ${title}`, async (t, scene) => {
    const before = descriptors()
    const stage = new Stage(scene.directory, options)
    await play(t, stage, scene)
    stage.close()
    scene.doing('waiting until no descriptors are left behind')
    await until(async () => descriptors() <= before)
  })
}

async function names(client: BrokerClient): Promise<string[]> {
  return (await client.list(LONG)).map(entry => entry.name)
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(1)
}

staged('what one allocates another one gets', async (t, stage) => {
  const [one, other] = [await stage.client(), await stage.client()]
  using region = await one.allocate('frames', { size: 100_000 })
  t.deepEqual([region.byteLength, region.seals, region.access], [100_000, ['shrink', 'grow'], 'rw'])
  region.bytes[99_999] = 7
  using same = await other.get('frames')
  t.deepEqual([same.byteLength, same.bytes[99_999], same.access], [100_000, 7, 'rw'])
  same.bytes[0] = 8
  t.is(region.bytes[0], 8)
  using part = await other.get('frames', { access: 'r', offset: PAGE_SIZE, size: 10 })
  t.deepEqual([part.byteLength, part.byteOffset, part.access], [10, PAGE_SIZE, 'r'])
  using copy = await other.get('frames', { sharing: 'private' })
  copy.bytes[0] = 9
  t.is(region.bytes[0], 8)
  t.deepEqual(await other.list(), [{ name: 'frames', byteLength: 100_000, pid: process.pid, keep: false }])

  await t.throwsAsync(other.free('frames'), { code: 'ERR_PERMISSION', message: new RegExp(`belongs to pid ${process.pid}`) })
  await t.throwsAsync(other.allocate('frames', { size: 1 }), { code: 'ERR_ALREADY_EXISTS' })
  await one.free('frames')
  await t.throwsAsync(one.free('frames'), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(other.get('frames'), { code: 'ERR_NOT_FOUND', message: /get frames: .*no such name/ })
  t.is(same.bytes[99_999], 7)
})

staged('what is a client’s own goes with it, and what is kept stays until somebody frees it', async (t, stage) => {
  const [one, other] = [await stage.client(), await stage.client()]
  const own = await one.allocate('own', { size: SIZE })
  const kept = await one.allocate('kept', { size: SIZE, keep: true })
  kept.bytes[0] = 3
  t.deepEqual(await names(other), ['kept', 'own'])
  one.close()
  t.true(one.closed)
  own.close()
  kept.close()
  await until(async () => (await names(other)).length === 1)
  t.deepEqual(await other.list(), [{ name: 'kept', byteLength: SIZE, pid: undefined, keep: true }])
  using again = await other.get('kept')
  t.is(again.bytes[0], 3)
  await other.free('kept')
  t.deepEqual(await names(other), [])
})

staged('what is there already is shared, too, if it is memory', async (t, stage, { directory }) => {
  const client = await stage.client()
  using region = Region.map({ source: { memfd: 'sealed', seals: ['shrink'] }, size: SIZE })
  region.bytes[0] = 1
  using memory = SharedMemory.open('object', 'x', { size: SIZE, directory })
  memory.unlink()
  await client.share('region', region)
  await client.share('object', memory)
  await client.share('number', region.fd)
  region.seal(['future-write'])
  using same = await client.get('number')
  t.deepEqual([same.bytes[0], same.access, same.seals], [1, 'r', ['shrink', 'future-write']])
  await t.throwsAsync(client.get('number', { access: 'rw' }), { code: 'ERR_PERMISSION', message: /seal/ })

  const path = join(tmpdir(), `pagecast-${process.pid}`)
  writeFileSync(path, 'not memory, unless it is')
  const onDisk = openSync(path, 'r+')
  const device = openSync('/dev/zero', 'r+')
  using empty = SharedMemory.open('empty', 'x', { directory })
  empty.unlink()
  for (const shareable of [device, empty]) await t.throwsAsync(client.share('refused', shareable), { code: 'ERR_INVALID_ARGUMENT' })
  for (const fd of [onDisk, device]) closeSync(fd)
  unlinkSync(path)
  await t.throwsAsync(client.share('refused', 9999), { code: 'ERR_INVALID_ARGUMENT' })
  t.deepEqual(await names(client), ['number', 'object', 'region'])
})

staged('who waits for a name gets it when it comes, and others go on meanwhile', async (t, stage) => {
  const [one, other] = [await stage.client(), await stage.client()]
  const waiting = [one, one, other].map(client => client.get('later', { wait: true, ...LONG }))
  t.deepEqual(await names(one), [])
  using region = await one.allocate('another', { size: SIZE })
  region.bytes[0] = 9
  await one.share('later', region)
  for (const got of waiting) {
    using same = await got
    t.is(same.bytes[0], 9)
  }
})

staged('the largest number of milliseconds is as long as it takes', async (t, stage, { directory }) => {
  const patience = { wait: true, timeout: Number.MAX_SAFE_INTEGER }
  const [one, other] = [await stage.client(), await stage.client()]
  const waiting = one.get('later', patience)
  const path = join(directory, 'another')
  const connecting = DescriptorChannel.connect(path, patience)
  await delay(30)
  using region = await other.allocate('later', { size: SIZE, timeout: patience.timeout })
  using same = await waiting
  t.is(same.byteLength, region.byteLength)
  using listener = DescriptorChannel.listen(path)
  using channel = await connecting
  t.false(channel.closed)
  listener.close()
})

staged('calls end by time, by signal and by closing, and undo what they began', async (t, stage) => {
  const [one, other] = [await stage.client(), await stage.client()]
  for (let [timeout, isHeard] = [20, false]; !isHeard; timeout *= 2) {
    const late = (await t.throwsAsync(one.get('later', { wait: true, timeout }), { code: 'ERR_TIMEOUT' })) as Error
    isHeard = !late.message.endsWith('and the broker did not answer') // its thread had no core until then
    if (isHeard) t.is(late.message, `get later: ${timeout} ms are over, and nobody gave it that name`)
  }
  const reason = new Error('enough')
  const error = await t.throwsAsync(one.get('later', { signal: AbortSignal.abort(reason) }), { code: 'ERR_ABORTED' })
  t.is(error?.cause, reason)
  const controller = new AbortController()
  const aborted = t.throwsAsync(one.get('later', { wait: true, signal: controller.signal }), { code: 'ERR_ABORTED' })
  await delay(10)
  controller.abort()
  await aborted
  using region = await other.allocate('later', { size: SIZE })
  region.bytes[0] = 4
  using same = await one.get('later')
  t.is(same.bytes[0], 4)

  const interrupted = t.throwsAsync(one.get('never', { wait: true }), { code: 'ERR_DISPOSED' })
  await delay(10)
  one.close()
  one.close()
  await interrupted
  for (const use of [
    () => one.get('x'),
    () => one.free('x'),
    () => one.list(),
    () => one.share('x', region),
    () => one.allocate('x', { size: 1 }),
  ]) {
    await t.throwsAsync(use(), { code: 'ERR_DISPOSED' })
  }
})

staged('many calls at once are answered each', async (t, stage) => {
  const client = await stage.client()
  const indices = Array.from({ length: 100 }, (_, index) => index)
  const regions = await Promise.all(indices.map(index => client.allocate(`region ${index}`, { size: PAGE_SIZE })))
  for (const [index, region] of regions.entries()) region.bytes[0] = index
  t.deepEqual((await names(client)).length, 100)
  const same = await Promise.all(indices.map(index => client.get(`region ${index}`)))
  t.deepEqual(
    same.map(region => region.bytes[0]),
    indices,
  )
  for (const region of [...regions, ...same]) region.close()
})

staged(
  'limits hold, and say which one it is',
  async (t, stage) => {
    const [one, other] = [await stage.client(), await stage.client()]
    await t.throwsAsync(Broker.connect(stage.broker.path), { code: 'ERR_BROKER_LIMIT', instanceOf: ChannelError, message: /2 clients/ })
    await t.throwsAsync(one.allocate('large', { size: 100_001 }), {
      code: 'ERR_BROKER_LIMIT',
      message: /100,001 bytes, and 0 of the 100,000/,
    })
    using a = await one.allocate('a', { size: 60_000 })
    await t.throwsAsync(other.allocate('b', { size: 50_000 }), { code: 'ERR_BROKER_LIMIT', message: /60,000 of the 100,000/ })
    using b = await one.allocate('b', { size: 1 })
    await t.throwsAsync(one.share('c', a), { code: 'ERR_BROKER_LIMIT', message: /has 2 names/ })
    using c = await other.allocate('c', { size: 1 })
    await t.throwsAsync(other.share('d', c), { code: 'ERR_BROKER_LIMIT', message: /3 names/ })
    t.deepEqual(await names(other), ['a', 'b', 'c'])
    t.is(b.bytes[0], 0)
    const waiting = Array.from({ length: 64 }, () => other.get('none', { wait: true, ...LONG }).catch(error => error.code))
    await t.throwsAsync(other.get('none', { wait: true }), { code: 'ERR_BROKER_LIMIT', message: /64 calls/ })
    other.close()
    t.deepEqual([...new Set(await Promise.all(waiting))], ['ERR_DISPOSED'])
  },
  { maxBytes: 100_000, maxNames: 3, maxNamesPerClient: 2, maxClients: 2 },
)

staged('a list is as long as it has to be, whatever the names', async (t, stage) => {
  const client = await stage.client()
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  const wanted = Array.from({ length: 100 }, (_, index) => `${'\u{1}'.repeat(250)}${String(index).padStart(3, '0')}`)
  for (const name of wanted) await client.share(name, region)
  t.deepEqual(await names(client), wanted)
})

scene('broker: the end of a broker is told, and regions stay', async (t, { directory }) => {
  const broker = Broker.listen(join(directory, 'broker'))
  using client = await Broker.connect(broker.path)
  using region = await client.allocate('frames', { size: SIZE })
  region.bytes[0] = 6
  const waiting = [1, 2].map(() =>
    t.throwsAsync(client.get('never', { wait: true, ...LONG }), { code: 'ERR_BROKER_GONE', instanceOf: ChannelError }),
  )
  await delay(10)
  broker.close()
  broker.close()
  t.true(broker.closed)
  await Promise.all(waiting)
  for (const use of [
    () => client.get('frames'),
    () => client.list(),
    () => client.allocate('x', { size: 1 }),
    () => client.share('y', region),
  ]) {
    await t.throwsAsync(use(), { code: 'ERR_BROKER_GONE' })
  }
  t.is(region.bytes[0], 6)
  await t.throwsAsync(Broker.connect(broker.path), { code: 'ERR_NOT_FOUND' })
  t.deepEqual(readdirSync(directory), [])

  const connecting = Broker.connect(broker.path, { wait: true, ...LONG })
  await delay(20)
  using next = Broker.listen(broker.path)
  using again = await connecting
  await t.throwsAsync(again.get('frames'), { code: 'ERR_NOT_FOUND' })
  await again.share('frames', region)
  using same = await again.get('frames')
  t.is(same.bytes[0], 6)
  t.is(next.path, broker.path)
})

scene('broker: one at a time, with the permissions asked for', (t, { directory }) => {
  const path = join(directory, 'broker')
  for (const [options, mode] of [
    [{}, 0o600],
    [{ uids: [65_534] }, 0o666],
    [{ uids: [65_534], mode: 0o660 }, 0o660],
  ] as const) {
    using broker = Broker.listen(path, options)
    t.is(statSync(broker.path).mode & 0o777, mode)
    t.throws(() => Broker.listen(path), { code: 'ERR_ALREADY_EXISTS', message: /somebody listens there/ })
  }
})

staged('who says nonsense is told so and no longer heard', async (t, stage) => {
  const client = await stage.client()
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  const nonsense: [string, number][] = [
    ['\0', 0],
    ['{}', 0],
    ['{"id":1,"call":"explode"}', 1],
    ['{"id":1,"call":"list","after":7}', 16],
    ['{"id":1,"call":"get","name":"x"}', 2],
    [JSON.stringify({ id: 1, call: 'get', name: 'x'.repeat(5000) }), 0],
    ['['.repeat(4000), 0],
    ['x'.repeat(65_536), 1],
  ]
  for (const [said, count] of nonsense) {
    using stranger = await stage.stranger()
    await stranger.send({ bytes: Buffer.from(said), descriptors: Array(count).fill(region) }, LONG)
    t.regex(text((await stranger.receive(LONG))?.bytes), /ERR_BAD_MESSAGE/)
    t.is(await stranger.receive(LONG), undefined)
  }
  for (const name of ['', '..', 'a/b', 'a\0b', '.pagecast-x']) {
    using stranger = await stage.stranger()
    await stranger.send({ bytes: Buffer.from(JSON.stringify({ id: 7, call: 'share', name })), descriptors: [region] }, LONG)
    t.like(JSON.parse(text((await stranger.receive(LONG))?.bytes)), { id: 7, error: 'ERR_INVALID_NAME' })
  }
  t.deepEqual(await names(client), [])
})

staged('who neither speaks nor reads keeps nobody else waiting', async (t, stage) => {
  const client = await stage.client()
  using region = await client.allocate('frames', { size: SIZE })
  const silent = await Promise.all(Array.from({ length: 20 }, () => DescriptorChannel.connect(stage.broker.path, LONG)))
  const call = Buffer.from('{"id":1,"call":"get","name":"frames"}')
  const flood = async (channel: DescriptorChannel) => {
    let sent = 0
    try {
      for (; sent < 20_000; sent++) await channel.send({ bytes: call }, { timeout: 300 })
    } catch {}
    return sent
  }
  const floods = silent.slice(0, 2).map(flood)
  for (let count = 0; count < 50; count++) {
    using same = await client.get('frames', LONG)
    t.is(same.byteLength, region.byteLength)
  }
  for (const sent of await Promise.all(floods)) t.true(sent < 20_000, 'the broker collects answers that nobody reads')
  t.deepEqual(await names(client), ['frames'])
  for (const channel of silent) channel.close()
  await until(async () => (await stage.client().catch(() => undefined)) !== undefined)
})

scene('broker: what is no broker is found out, and nothing of it stays open', async (t, { directory }) => {
  const before = descriptors()
  const path = join(directory, 'socket')
  using listener = DescriptorChannel.listen(path)
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  await t.throwsAsync(Broker.connect(path, { timeout: 30 }), { code: 'ERR_TIMEOUT', message: /did not greet/ })
  ;(await listener.accept()).close()
  const answers: [string, string][] = [
    ['hello', 'ERR_BAD_MESSAGE'],
    ['7', 'ERR_BAD_MESSAGE'],
    ['{"broker":2,"pid":1}', 'ERR_BAD_MESSAGE'],
    ['{"error":"ERR_PERMISSION","message":"no"}', 'ERR_PERMISSION'],
    ['{"error":"rm -rf","message":"no"}', 'ERR_BAD_MESSAGE'],
  ]
  for (const [said, code] of answers) {
    const connecting = t.throwsAsync(Broker.connect(path, LONG), { code })
    using channel = await listener.accept(LONG)
    await channel.send({ bytes: Buffer.from(said), descriptors: [region] })
    await connecting
  }
  const gone = t.throwsAsync(Broker.connect(path, LONG), { code: 'ERR_BROKER_GONE' })
  ;(await listener.accept(LONG)).close()
  await gone

  const connecting = Broker.connect(path, LONG)
  using channel = await listener.accept(LONG)
  await channel.send({ bytes: Buffer.from('{"broker":1,"pid":1}') })
  using client = await connecting
  const replies: [string, Promise<unknown>, string][] = [
    ['{"id":99}', client.get('x', { timeout: 50 }), 'ERR_TIMEOUT'],
    ['{"id":2}', client.get('x', LONG), 'ERR_INVALID_SIZE'],
  ]
  await channel.receive(LONG)
  await channel.send({ bytes: Buffer.from('{"id":99}'), descriptors: [region, region] })
  await t.throwsAsync(replies[0]?.[1] as Promise<unknown>, { code: 'ERR_TIMEOUT' })
  await channel.send({ bytes: Buffer.from('{"id":2}') })
  await t.throwsAsync(replies[1]?.[1] as Promise<unknown>, { code: 'ERR_BAD_MESSAGE', message: /no descriptor/ })
  const lists = client.list(LONG)
  await channel.send({ bytes: Buffer.from('{"id":3,"entries":[{"name":7}],"more":true}') })
  await t.throwsAsync(lists, { code: 'ERR_BAD_MESSAGE' })
  for (const end of [client, channel, listener, region]) end.close()
  await until(async () => descriptors() <= before)
})

scene('broker: arguments are refused before anything is done', async (t, { directory }) => {
  const before = descriptors()
  const path = join(directory, 'broker')
  const wrong: BrokerOptions[] = [
    { mode: 0o1000 },
    { maxBytes: 0 },
    { maxBytes: Number.POSITIVE_INFINITY },
    { maxNames: 0 },
    { maxNames: 1.5 },
    { maxNamesPerClient: Number.NaN },
    { maxClients: -1 },
    { uids: [-1] },
    { uids: [1.5] },
    { uids: [undefined as never] },
    { uids: Object.assign(Array(2), { 1: 1 }) },
    { uids: 7 as never },
    { ref: 1 as never },
    { port: 1 } as never,
    null as never,
  ]
  for (const options of wrong) t.throws(() => Broker.listen(path, options), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => Broker.listen('x'.repeat(108)), { code: 'ERR_INVALID_NAME' })
  t.throws(() => Broker.listen(''), { code: 'ERR_INVALID_ARGUMENT' })
  t.deepEqual(readdirSync(directory), [])
  for (const options of [{ timeout: -1 }, { wait: 1 }, { uids: ['0'] }, { signal: 1 }, { more: 1 }]) {
    await t.throwsAsync(Broker.connect(path, options as never), { code: 'ERR_INVALID_ARGUMENT' })
  }
  await t.throwsAsync(Broker.connect(''), { code: 'ERR_INVALID_ARGUMENT' })

  using broker = Broker.listen(path)
  using client = await Broker.connect(broker.path)
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  for (const name of ['', '..', 'a/b', 'a\0b', 'x'.repeat(256), '.pagecast-x', 7, undefined] as string[]) {
    for (const use of [
      () => client.allocate(name, { size: 1 }),
      () => client.share(name, region),
      () => client.get(name),
      () => client.free(name),
    ]) {
      await t.throwsAsync(use(), { code: 'ERR_INVALID_NAME' })
    }
  }
  const allocations = [
    [{ size: 0 }, 'ERR_INVALID_SIZE'],
    [{}, 'ERR_INVALID_SIZE'],
    [{ size: 1.5 }, 'ERR_INVALID_ARGUMENT'],
    [undefined, 'ERR_INVALID_ARGUMENT'],
    [{ size: 1, keep: 1 }, 'ERR_INVALID_ARGUMENT'],
    [{ size: 1, source: 'anonymous' }, 'ERR_INVALID_ARGUMENT'],
    [{ size: 1, access: 'r' }, 'ERR_INVALID_ARGUMENT'],
    [{ size: 1, timeout: Number.NaN }, 'ERR_INVALID_ARGUMENT'],
  ] as const
  for (const [options, code] of allocations) await t.throwsAsync(client.allocate('x', options as AllocateOptions), { code })
  for (const options of [{ wait: 'x' }, { source: 'anonymous' }, { access: 'w' }, { timeout: '1' }, { more: 1 }, null]) {
    await client.share('there', region).catch(() => {})
    await t.throwsAsync(client.get('there', options as never), { code: 'ERR_INVALID_ARGUMENT' })
  }
  for (const shareable of ['x', -1, {}, null, undefined]) {
    await t.throwsAsync(client.share('x', shareable as never), { code: 'ERR_INVALID_ARGUMENT' })
  }
  await t.throwsAsync(client.share('x', region, { keep: 'yes' } as never), { code: 'ERR_INVALID_ARGUMENT' })
  await t.throwsAsync(client.list({ wait: true } as never), { code: 'ERR_INVALID_ARGUMENT' })
  t.deepEqual(await names(client), ['there'])
  await client.free('there')
  for (const end of [client, broker, region]) end.close()
  await until(async () => descriptors() <= before)
})
