import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Broker, type BrokerClient, DescriptorChannel, Region } from 'pagecast'
import type { Child } from './helpers/child.js'
import { descriptors } from './helpers/descriptors.js'
import { type Scene, scene } from './helpers/scene.js'
import { Cast } from './helpers/workers.js'

const { PAGECAST_RUST_EXAMPLES: examples = fileURLToPath(new URL('../rust/', import.meta.url)) } = process.env
const NOBODY = 65_534
const LONG = { timeout: 50_000 }

async function broker(scene: Scene, options: object = {}): Promise<Child> {
  const child = scene.child('broker', [JSON.stringify(options)])
  await child.says('serving')
  return child
}

/** A killed one would leave its path. */
async function end(serving: Child): Promise<void> {
  serving.tell('rest')
  await serving.succeeds()
}

async function client(scene: Scene): Promise<Child> {
  const child = scene.child('broker-client')
  await child.says('connected')
  return child
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(1)
}

/** Once: what a client needs for that it keeps. */
async function waits(client: BrokerClient): Promise<void> {
  await client.get('none', { wait: true, timeout: 20 }).catch(() => {})
}

async function names(client: BrokerClient): Promise<string[]> {
  return (await client.list(LONG)).map(entry => entry.name)
}

scene('broker: what a killed client had goes, and who has it mapped keeps it', async (t, scene) => {
  const serving = await broker(scene)
  const [one, other] = await Promise.all([client(scene), client(scene)])
  for (const word of ['allocate own', 'allocate kept keep']) {
    one.tell(word)
    await one.says('allocate')
  }
  using own = await Broker.connect(join(scene.directory, 'broker'))
  other.tell('get own')
  t.like(await other.says('get'), { byte: 7, seals: ['shrink', 'grow'] })
  other.tell('free own')
  t.like(await other.says('refused'), { code: 'ERR_PERMISSION' })
  one.kill('SIGKILL')
  await until(async () => (await names(own)).join() === 'kept')
  t.deepEqual(await own.list(), [{ name: 'kept', byteLength: 65_536, pid: undefined, keep: true }])
  other.tell('peek')
  t.like(await other.says('peek'), { byte: 7 })
  other.tell('allocate own')
  await other.says('allocate')
  other.tell('free kept')
  await other.says('free')
  t.deepEqual(await names(own), ['own'])
  await end(serving)
})

scene('broker: two clients add to the same region', async (t, scene) => {
  const serving = await broker(scene)
  const [one, other] = await Promise.all([client(scene), client(scene)])
  other.tell('get counter wait')
  one.tell('allocate counter')
  await one.says('allocate')
  await other.says('get')
  for (let round = 0; round < 20; round++) for (const child of [one, other]) child.tell('add')
  for (const child of [one, other]) for (let round = 0; round < 20; round++) await child.says('add')
  one.tell('peek')
  t.like(await one.says('peek'), { byte: 47 })
  await end(serving)
})

scene('broker: clients outlive a killed one, and the next one takes its place', async (t, scene) => {
  for (let round = 0; round < 3; round++) {
    const serving = await broker(scene)
    const [one, waiting] = await Promise.all([client(scene), client(scene)])
    one.tell('allocate frames')
    await one.says('allocate')
    waiting.tell('get never wait')
    const second = scene.child('broker')
    t.like(await second.says('refused'), { code: 'ERR_ALREADY_EXISTS' })
    serving.kill('SIGKILL')
    t.like(await waiting.says('refused'), { code: 'ERR_BROKER_GONE' })
    for (const word of ['get frames', 'list']) {
      one.tell(word)
      t.like(await one.says('refused'), { code: 'ERR_BROKER_GONE' })
    }
    one.tell('peek')
    t.like(await one.says('peek'), { byte: 7 })
    t.deepEqual(scene.names(), ['broker', 'broker.lock'], 'what a killed one leaves')
    await serving.exit
    await t.throwsAsync(Broker.connect(join(scene.directory, 'broker')), { code: 'ERR_NOT_FOUND', message: /nobody listens/ })
  }
  Broker.listen(join(scene.directory, 'broker')).close()
})

for (const [way, exit] of [
  ['rest', { code: 0, signal: null }],
  ['exit', { code: 3, signal: null }],
  ['throw', { code: 1, signal: null }],
] as const) {
  scene(`broker: it keeps no process alive, and leaves nothing: ${way}`, async (t, scene) => {
    const child = await broker(scene)
    using one = await Broker.connect(join(scene.directory, 'broker'))
    child.tell(way)
    t.deepEqual(await child.exit, exit)
    await t.throwsAsync(one.list(), { code: 'ERR_BROKER_GONE' })
    t.deepEqual(scene.names(), [])
  })
}

scene('broker: with ref it keeps its process alive, until it is told otherwise', async (t, scene) => {
  const child = await broker(scene, { ref: true })
  using one = await Broker.connect(join(scene.directory, 'broker'))
  const resting = scene.child('broker', [JSON.stringify({ ref: false })])
  t.like(await resting.says('refused'), { code: 'ERR_ALREADY_EXISTS' })
  child.tell('rest')
  const before = await Promise.race([child.gone.then(() => 'gone'), delay(500).then(() => 'alive')])
  t.is(before, 'alive')
  t.deepEqual(await names(one), [])
  child.kill('SIGTERM')
  t.deepEqual(await child.exit, { code: null, signal: 'SIGTERM' })
  for (const name of scene.names()) scene.remove(name)

  const unref = await broker(scene, { ref: true })
  for (const word of ['unref', 'rest']) unref.tell(word)
  await unref.says('done')
  await unref.succeeds()
})

scene('broker: one that does not answer is a timeout, and what was given up is undone when it does', async (t, scene) => {
  const child = await broker(scene)
  const path = join(scene.directory, 'broker')
  using one = await Broker.connect(path)
  using other = await Broker.connect(path)
  await waits(one)
  const before = descriptors()
  await child.stops()
  await t.throwsAsync(one.allocate('given up', { size: 65_536, timeout: 50 }), { code: 'ERR_TIMEOUT', message: /did not answer/ })
  await t.throwsAsync(one.allocate('given up, too', { size: 65_536, signal: AbortSignal.timeout(50) }), { code: 'ERR_ABORTED' })
  await t.throwsAsync(one.get('none', { wait: true, timeout: 50 }), {
    code: 'ERR_TIMEOUT',
    message: /none: 50 ms are over, and the broker did not answer/,
  })
  await t.throwsAsync(Broker.connect(path, { timeout: 50 }), { code: 'ERR_TIMEOUT', message: /did not greet/ })
  t.is(descriptors(), before)
  const late = one.get('later', { wait: true, ...LONG })
  child.kill('SIGCONT')
  using region = await other.allocate('later', { size: 65_536 })
  t.is(region.byteLength, 65_536)
  ;(await late).close()
  t.deepEqual(await names(other), ['later'])
  await end(child)
})

scene('broker: another user is refused unless it is let in', async (t, scene) => {
  if (process.getuid?.() !== 0) {
    t.pass('only root can be somebody else')
    return
  }
  chmodSync(scene.directory, 0o755)
  const stranger = () => scene.child('broker-client', ['{}', NOBODY])
  const closed = await broker(scene)
  t.like(await stranger().says('refused'), { code: 'ERR_PERMISSION' })
  await end(closed)

  const open = await broker(scene, { mode: 0o666 })
  const refused = await stranger().says('refused')
  t.is(refused.code, 'ERR_PERMISSION')
  t.regex(String(refused.message), /the broker says: user 65534/)
  await end(open)

  const shared = await broker(scene, { uids: [NOBODY] })
  const admitted = stranger()
  await admitted.says('connected')
  admitted.tell('allocate theirs')
  await admitted.says('allocate')
  using one = await Broker.connect(join(scene.directory, 'broker'))
  using region = await one.get('theirs')
  t.is(region.bytes[0], 7)
  await end(shared)
})

scene('broker: a child in Rust has what its stdio says, what it is sent, and what the broker knows', async (t, scene) => {
  using broker = Broker.listen(join(scene.directory, 'broker'))
  using one = await Broker.connect(broker.path)
  using inherited = Region.map({ source: 'memfd', size: 65_536 })
  using sent = Region.map({ size: 65_536 })
  const [here, there] = DescriptorChannel.pair()
  const child = scene.program(join(examples, 'heir'), [broker.path, 'frames'], undefined, [inherited.fd, there.fd])
  there.close()
  using known = await one.allocate('frames', { size: 65_536 })
  for (const count of ['4', '5']) {
    await here.send({ bytes: Buffer.from('add'), descriptors: count === '4' ? [sent, sent] : [sent] }, LONG)
    using answer = await here.receive(LONG)
    t.is(String(Buffer.from(answer?.bytes ?? [])), count)
  }
  t.deepEqual([inherited.bytes[0], known.bytes[0], sent.bytes[0]], [1, 1, 3])
  await here.send({ bytes: Buffer.from('enough') }, LONG)
  using last = await here.receive(LONG)
  using own = last?.descriptors[0]?.map()
  t.is(own?.byteLength, 5)
  t.is(await here.receive(LONG), undefined)
  await child.succeeds()
  here.close()
  using kept = await one.get('of the heir')
  kept.bytes[4] = 9
  t.is(own?.bytes[4], 9)
  t.like(
    (await one.list()).find(entry => entry.name === 'of the heir'),
    { byteLength: 5, keep: true },
  )
})

scene('broker: what a worker had goes with the worker, however it ends', async (t, { directory }) => {
  using broker = Broker.listen(join(directory, 'broker'))
  using one = await Broker.connect(broker.path)
  for (const end of ['terminate', 'exit']) {
    const worker = new Cast('broker-worker', { role: 'own', path: broker.path })
    await worker.says('allocated')
    using region = await one.get('own')
    if (end === 'terminate') await worker.terminate()
    else worker.tell('exit')
    await worker.end()
    await until(async () => (await names(one)).length === 0)
    t.is(region.bytes[0], 5)
  }
})

scene('broker: a worker that waits can be terminated, and a worker that serves', async (t, { directory }) => {
  const path = join(directory, 'broker')
  const serving = new Cast('broker-worker', { role: 'serve', path })
  await serving.says('serving')
  {
    using one = await Broker.connect(path)
    const waiting = new Cast('broker-worker', { role: 'wait', path })
    await waiting.waits()
    await waiting.terminate()
    t.deepEqual(await names(one), [])
    await serving.terminate()
    await until(async () => (await names(one).catch(error => [error.code])).join() === 'ERR_BROKER_GONE')
  }
  using listener = DescriptorChannel.listen(path)
  const receiving = new Cast('broker-worker', { role: 'receive', path })
  using channel = await listener.accept(LONG)
  await receiving.waits()
  await receiving.terminate()
  t.is(await channel.receive(LONG), undefined)
})

scene('broker: many clients come, are killed and leave, and nothing of them stays', async (t, scene) => {
  using broker = Broker.listen(join(scene.directory, 'broker'))
  using one = await Broker.connect(broker.path)
  await waits(one)
  const before = descriptors()
  for (let round = 0; round < 4; round++) {
    const children = await Promise.all([1, 2, 3].map(() => client(scene)))
    for (const [index, child] of children.entries()) for (let count = 0; count < 10; count++) child.tell(`allocate ${index}-${count}`)
    await children[0]?.says('allocate')
    for (const child of children) child.kill('SIGKILL')
    await Promise.all(children.map(child => child.exit))
    await until(async () => (await names(one)).length === 0)
  }
  scene.doing('waiting until no descriptors are left behind')
  await until(async () => descriptors() <= before)
  t.pass()
})
