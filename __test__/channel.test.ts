import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ChannelError, DescriptorChannel, type Parcel, Region, SharedMemory } from 'pagecast'
import { descriptors } from './helpers/descriptors.js'
import { untilIdle } from './helpers/load.js'
import { withPython } from './helpers/python.js'
import { scene } from './helpers/scene.js'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const textOf = (array: Uint8Array | undefined): string => Buffer.from(array ?? []).toString()
const LONG = { timeout: 50_000 }

/** Two ends in this process. */
function pair(): [DescriptorChannel, DescriptorChannel] {
  const [here, other] = DescriptorChannel.pair()
  using descriptor = other
  return [here, DescriptorChannel.from(descriptor.fd)]
}

scene('channel: messages come whole and in order, and then the end', async t => {
  const [here, there] = pair()
  const sizes = [1, 65_536, 2, 1000]
  for (const size of sizes) await here.send({ bytes: new Uint8Array(size).fill(size) }, LONG)
  here.close()
  t.true(here.closed)
  for (const size of sizes) {
    const message = await there.receive(LONG)
    t.deepEqual(message?.bytes, new Uint8Array(size).fill(size))
    t.deepEqual(message?.descriptors, [])
  }
  t.is(await there.receive(LONG), undefined)
  t.is(await there.receive(LONG), undefined)
  const error = await t.throwsAsync(there.send({ bytes: bytes('late') }, LONG), { code: 'ERR_PEER_GONE', instanceOf: ChannelError })
  t.regex(error?.message ?? '', /send: the other end \(pid \d+\) is gone/)
  there.close()
})

scene('channel: regions, objects, descriptors and numbers arrive as the same memory', async (t, { directory }) => {
  const before = descriptors()
  {
    const [here, there] = pair()
    using region = Region.map({ size: 65_536 })
    using memory = SharedMemory.open('object', 'x', { size: 65_536, directory })
    memory.unlink()
    const file = openSync('/dev/null', 'r')
    await here.send({ bytes: bytes('all'), descriptors: [region, memory, region.fd, file] }, LONG)
    closeSync(file)
    using message = await there.receive(LONG)
    t.is(textOf(message?.bytes), 'all')
    const [first, object, again, other] = message?.descriptors ?? []
    using one = first?.map()
    using two = again?.map()
    using shared = object?.map()
    t.is(shared?.byteLength, 65_536)
    region.bytes[7] = 9
    t.deepEqual([one?.bytes[7], two?.bytes[7], one?.seals], [9, 9, ['shrink']])
    t.true(fstatSync(other?.fd ?? -1).isCharacterDevice())
    t.throws(() => other?.map(), { code: 'ERR_INVALID_SIZE' })

    await there.send({ descriptors: message?.descriptors.slice(0, 1) ?? [] }, LONG)
    using back = await here.receive(LONG)
    t.is(back?.bytes.length, 0)
    const number = back?.descriptors[0]?.take() ?? -1
    t.throws(() => back?.descriptors[0]?.fd, { code: 'ERR_DISPOSED' })
    using taken = Region.map({ source: { fd: number } })
    closeSync(number)
    t.is(taken.bytes[7], 9)
    message?.close()
    t.true(first?.closed)
    t.throws(() => first?.map(), { code: 'ERR_DISPOSED', message: 'map descriptor 0 of a message: this descriptor is closed' })
    here.close()
    there.close()
  }
  t.is(descriptors(), before)
})

scene('channel: what is sealed is mapped to be read unless that is asked for', async t => {
  const [here, there] = pair()
  using region = Region.map({ source: { memfd: 'sealed', seals: ['future-write'] }, size: 65_536 })
  await here.send({ descriptors: [region] }, LONG)
  using message = await there.receive(LONG)
  using same = message?.descriptors[0]?.map()
  t.is(same?.access, 'r')
  t.throws(() => message?.descriptors[0]?.map({ access: 'rw' }), { code: 'ERR_PERMISSION', message: /seal/ })
  here.close()
  there.close()
})

scene('channel: waits end by time, by signal and by closing, and leave the channel as it was', async t => {
  const [here, there] = pair()
  await t.throwsAsync(there.receive({ timeout: 20 }), { code: 'ERR_TIMEOUT', message: /receive: 20 ms are over, and nothing came/ })
  await t.throwsAsync(there.receive({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  const reason = new Error('enough')
  const error = await t.throwsAsync(there.receive({ signal: AbortSignal.abort(reason) }), { code: 'ERR_ABORTED' })
  t.is(error?.cause, reason)
  const controller = new AbortController()
  const aborted = t.throwsAsync(there.receive({ signal: controller.signal }), { code: 'ERR_ABORTED' })
  await delay(10)
  controller.abort()
  await aborted
  const received = there.receive(LONG)
  await here.send({ bytes: bytes('after all') })
  t.is(textOf((await received)?.bytes), 'after all')

  const interrupted = t.throwsAsync(there.receive(), { code: 'ERR_DISPOSED' })
  await delay(10)
  there.close()
  there.close()
  await interrupted
  for (const use of [() => there.receive(), () => there.send({ bytes: bytes('x') })]) await t.throwsAsync(use(), { code: 'ERR_DISPOSED' })
  t.throws(() => there.peer, { code: 'ERR_DISPOSED' })
  here.close()
})

scene('channel: who always finds something lets the event loop go on', async t => {
  const [here, there] = pair()
  const controller = new AbortController()
  setImmediate(() => controller.abort())
  let received = 0
  const receive = async () => {
    for (; ; received++) {
      await here.send({ bytes: bytes(`${received}`) }, { signal: controller.signal })
      const message = await there.receive({ signal: controller.signal })
      t.is(textOf(message?.bytes), `${received}`)
      if (received > 10_000) throw new Error('nothing else ever has its turn')
    }
  }
  await t.throwsAsync(receive(), { code: 'ERR_ABORTED' })
  t.true(received > 0)
  here.close()
  there.close()
})

scene('channel: a sender who was sent something sleeps while it waits', async (t, scene) => {
  const [here, there] = pair()
  await there.send({ bytes: bytes('not read yet') }, LONG)
  const controller = new AbortController()
  const send = async () => {
    for (;;) await here.send({ bytes: new Uint8Array(1000) }, { signal: controller.signal })
  }
  const waiting = t.throwsAsync(send(), { code: 'ERR_ABORTED' })
  scene.doing('waiting until it does not ask again and again')
  await untilIdle()
  controller.abort()
  await waiting
  const late = t.throwsAsync(here.send({ bytes: new Uint8Array(1000) }), { code: 'ERR_DISPOSED' })
  t.is(textOf((await here.receive(LONG))?.bytes), 'not read yet', 'who receives is told while somebody waits to send')
  const next = here.receive(LONG)
  await there.send({ bytes: bytes('another') }, LONG)
  t.is(textOf((await next)?.bytes), 'another')
  here.close()
  there.close()
  await late
})

scene('channel: a sender waits for one who does not read, and what it sends is as it was', async t => {
  const before = descriptors()
  const [here, there] = pair()
  const content = new Uint8Array(60_000).fill(1)
  let sent = 0
  const full = async () => {
    for (;;) {
      await here.send({ bytes: content }, { timeout: 50 })
      sent += 1
    }
  }
  await t.throwsAsync(full(), { code: 'ERR_TIMEOUT', message: /does not read/ })
  t.true(sent > 0)
  const region = Region.map({ size: 65_536 })
  region.bytes[0] = 3
  const waiting = here.send({ bytes: content, descriptors: [region] }, LONG)
  content.fill(2)
  region.close() // its number may be another file's by the time there is room
  using other = Region.map({ size: 65_536 })
  t.is(other.bytes[0], 0)
  for (let count = 0; count < sent; count++) t.is((await there.receive(LONG))?.bytes[59_999], 1)
  await waiting
  {
    using last = await there.receive(LONG)
    using same = last?.descriptors[0]?.map()
    t.deepEqual([last?.bytes[0], same?.bytes[0]], [1, 3])
  }
  here.close()
  there.close()
  other.close()
  t.is(descriptors(), before)
})

scene('channel: several who receive get a message each, and both directions are used at once', async t => {
  const [here, there] = pair()
  const received = [1, 2, 3].map(() => there.receive(LONG))
  const answered = here.receive(LONG)
  for (const text of ['a', 'b', 'c']) await here.send({ bytes: bytes(text) })
  await there.send({ bytes: bytes('d') })
  t.deepEqual((await Promise.all(received)).map(message => textOf(message?.bytes)).sort(), ['a', 'b', 'c'])
  t.is(textOf((await answered)?.bytes), 'd')
  here.close()
  there.close()
})

scene('channel: listen, connect and accept', async (t, { directory }) => {
  const path = join(directory, 'socket')
  await t.throwsAsync(DescriptorChannel.connect(path), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(DescriptorChannel.connect(path, { wait: true, timeout: 30 }), { code: 'ERR_TIMEOUT', message: /the last attempt/ })
  const early = DescriptorChannel.connect(path, { wait: true, ...LONG })
  await delay(20)
  const listener = DescriptorChannel.listen(path)
  t.is(listener.path, path)
  t.is(statSync(path).mode & 0o777, 0o600)
  t.throws(() => DescriptorChannel.listen(path), { code: 'ERR_ALREADY_EXISTS' })
  using here = await listener.accept(LONG)
  using there = await early
  t.deepEqual([here.peer, there.peer], [there.peer, { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }])
  await t.throwsAsync(listener.accept({ timeout: 20 }), { code: 'ERR_TIMEOUT', message: /nobody connected/ })
  const waiting = t.throwsAsync(listener.accept(), { code: 'ERR_DISPOSED' })
  await delay(10)
  listener.close()
  await waiting
  t.true(listener.closed)
  t.deepEqual(readdirSync(directory), [])
  await here.send({ bytes: bytes('still') })
  t.is(textOf((await there.receive(LONG))?.bytes), 'still')
})

scene('channel: permission bits are exactly those asked for', (t, { directory }) => {
  const mask = process.umask(0o077)
  try {
    using listener = DescriptorChannel.listen(join(directory, 'socket'), { mode: 0o666 })
    t.is(statSync(listener.path).mode & 0o777, 0o666)
  } finally {
    process.umask(mask)
  }
})

scene('channel: what is somebody else’s stays, and sockets of another kind are no channels', async (t, scene) => {
  const { directory } = scene
  const file = join(directory, 'file')
  writeFileSync(file, 'precious')
  t.throws(() => DescriptorChannel.listen(file), { code: 'ERR_ALREADY_EXISTS' })
  const stream = join(directory, 'stream')
  const server = createServer().listen(stream)
  await new Promise(resolve => server.once('listening', resolve))
  t.throws(() => DescriptorChannel.listen(stream), { code: 'ERR_ALREADY_EXISTS' })
  await t.throwsAsync(DescriptorChannel.connect(stream), { code: 'ERR_BAD_MESSAGE' })
  server.close()
  scene.remove('file')

  using listener = DescriptorChannel.listen(join(directory, 'socket'))
  const stranger = connect(listener.path)
  const [error] = await new Promise<NodeJS.ErrnoException[]>(resolve => stranger.once('error', (...errors) => resolve(errors)))
  t.is(error?.code, 'EPROTOTYPE')
  for (const fd of [0, 2 ** 31 - 1])
    t.throws(() => DescriptorChannel.from(fd), { code: 'ERR_INVALID_ARGUMENT', message: new RegExp(`descriptor ${fd}: `) })
})

scene('channel: arguments are refused before anything is done', async (t, { directory }) => {
  const [here, there] = pair()
  const path = join(directory, 'socket')
  const parcels: unknown[] = [null, [], 'x', { bytes: 'x' }, { bytes: [1] }, { descriptors: 3 }, { descriptors: ['3'] }, { more: 1 }]
  for (const number of [-1, 1.5, Number.NaN, 2 ** 31, {}, null]) parcels.push({ descriptors: [number] })
  const before = descriptors()
  for (const parcel of parcels) await t.throwsAsync(here.send(parcel as Parcel), { code: 'ERR_INVALID_ARGUMENT' })
  await t.throwsAsync(here.send({ descriptors: [9999] }), { code: 'ERR_INVALID_ARGUMENT' })
  await t.throwsAsync(here.send({}), { code: 'ERR_INVALID_SIZE' })
  await t.throwsAsync(here.send({ bytes: new Uint8Array(65_537) }), { code: 'ERR_INVALID_SIZE', message: /65,537 bytes/ })
  await t.throwsAsync(here.send({ descriptors: Array(17).fill(0) }), { code: 'ERR_INVALID_SIZE', message: /17 descriptors/ })
  await t.throwsAsync(here.send({ descriptors: Array(70_000).fill(0) }), { code: 'ERR_INVALID_SIZE', message: /70000 descriptors/ })
  await t.throwsAsync(here.send({ descriptors: Array(1) }), { code: 'ERR_INVALID_ARGUMENT', message: /descriptors\[0\] is undefined/ })
  for (const timeout of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
    for (const use of [
      () => here.receive({ timeout: timeout as number }),
      () => here.send({ bytes: bytes('x') }, { timeout: timeout as number }),
      () => DescriptorChannel.connect(path, { timeout: timeout as number }),
    ]) {
      await t.throwsAsync(use(), { code: 'ERR_INVALID_ARGUMENT' })
    }
  }
  await t.throwsAsync(here.receive({ wait: true } as never), { code: 'ERR_INVALID_ARGUMENT' })
  await t.throwsAsync(DescriptorChannel.connect(path, { wait: 1 as never }), { code: 'ERR_INVALID_ARGUMENT' })
  for (const wrong of ['', 'a\0b', 7, undefined]) {
    t.throws(() => DescriptorChannel.listen(wrong as string), { code: 'ERR_INVALID_ARGUMENT' })
    await t.throwsAsync(DescriptorChannel.connect(wrong as string), { code: 'ERR_INVALID_ARGUMENT' })
  }
  t.throws(() => DescriptorChannel.listen('x'.repeat(108)), { code: 'ERR_INVALID_NAME' })
  t.throws(() => DescriptorChannel.listen(path, { mode: 0o1000 }), { code: 'ERR_INVALID_ARGUMENT' })
  t.throws(() => DescriptorChannel.listen(join(directory, 'none', 'socket')), { code: 'ERR_NOT_FOUND' })
  for (const fd of [-1, 1.5, Number.NaN, '3', undefined])
    t.throws(() => DescriptorChannel.from(fd as number), { code: 'ERR_INVALID_ARGUMENT' })
  t.is(descriptors(), before)
  await t.throwsAsync(there.receive({ timeout: 0 }), { code: 'ERR_TIMEOUT' }, 'nothing was sent')
  here.close()
  there.close()
})

scene('channel: a child has its end by stdio', async (t, scene) => {
  const [here, there] = DescriptorChannel.pair()
  const child = scene.child('channel-peer', ['inherit'], { descriptors: [there.fd] })
  there.close()
  using region = Region.map({ size: 65_536 })
  for (let round = 1; round <= 3; round++) {
    await here.send({ bytes: bytes(`round ${round}`), descriptors: [region] }, LONG)
    using message = await here.receive(LONG)
    t.is(textOf(message?.bytes), `round ${round} and back`)
    t.is(region.view(Int32Array)[0], round)
  }
  here.close()
  t.like(await child.says('ended'), { peer: { pid: process.pid } })
  await child.succeeds()
})

scene('channel: siblings, of which neither started the other', async (t, scene) => {
  const connecting = scene.child('channel-peer', ['connect'])
  const listening = scene.child('channel-peer', ['listen'])
  await listening.says('listening')
  t.like(await listening.says('answered'), { bytes: 'there and back', value: 42, peer: { pid: connecting.pid } })
  t.like(await connecting.says('ended'), { peer: { pid: listening.pid } })
  await Promise.all([connecting.succeeds(), listening.succeeds()])
})

scene('channel: the end of a killed process, and of what it had not read', async (t, scene) => {
  const [here, there] = DescriptorChannel.pair()
  const child = scene.child('channel-peer', ['inherit'], { descriptors: [there.fd] })
  there.close()
  await here.send({ bytes: bytes('hello') }, LONG)
  await here.receive(LONG)
  await child.stops()
  await here.send({ bytes: bytes('never read') }, LONG)
  const waiting = here.receive(LONG)
  child.kill('SIGKILL')
  t.is(await waiting, undefined)
  await t.throwsAsync(here.send({ bytes: bytes('x') }), { code: 'ERR_PEER_GONE' })
  here.close()
})

scene('channel: a socket of a killed process is taken over', async (t, scene) => {
  const path = join(scene.directory, 'socket')
  for (let round = 0; round < 3; round++) {
    const child = scene.child('channel-peer', ['listen'])
    await child.says('listening')
    t.throws(() => DescriptorChannel.listen(path), { code: 'ERR_ALREADY_EXISTS' })
    child.kill('SIGKILL')
    await child.exit
    t.deepEqual(scene.names(), ['socket', 'socket.lock'])
    await t.throwsAsync(DescriptorChannel.connect(path), { code: 'ERR_NOT_FOUND', message: /nobody listens/ })
  }
  DescriptorChannel.listen(path).close()
  t.false(existsSync(path))
})

/** Sends what the library does not. */
const FLOOD = `
import array, socket, sys
own = socket.socket(fileno=3)
memory = __import__('os').memfd_create('flood')
for count, size in ((253, 1), (17, 1), (3, 70000), (0, 70000)):
    own.sendmsg([b'x' * size], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [memory] * count))] if count else [])
own.sendmsg([b'fine'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [memory]))])
`

withPython('more than fits into a message is dropped, and nothing of it stays open', async (t, _, python) => {
  const [here, there] = DescriptorChannel.pair()
  const before = descriptors()
  execFileSync(python, ['-c', FLOOD], { stdio: ['ignore', 'inherit', 'inherit', there.fd] })
  for (let count = 0; count < 4; count++) {
    await t.throwsAsync(here.receive(LONG), { code: 'ERR_BAD_MESSAGE', message: /more than 65,536 bytes, or more than 16 descriptors/ })
  }
  {
    using message = await here.receive(LONG)
    t.deepEqual([textOf(message?.bytes), message?.descriptors.length], ['fine', 1])
  }
  there.close()
  t.is(await here.receive(LONG), undefined)
  here.close()
  t.true(descriptors() <= before, `${descriptors()} of ${before}`)
})

const EMPTY = `
import array, os, socket
own = socket.socket(fileno=3)
memory = array.array('i', [os.memfd_create('empty')])
own.send(b'')
own.send(b'first')
own.send(b'')
own.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, memory)])
own.send(b'')
own.send(b'')
own.send(b'last')
`

withPython('an empty message is not the end', async (t, _, python) => {
  const [here, there] = DescriptorChannel.pair()
  const before = descriptors()
  execFileSync(python, ['-c', EMPTY], { stdio: ['ignore', 'inherit', 'inherit', there.fd] })
  there.close() // from now on the end looks like an empty message
  const received: string[] = []
  for (;;) {
    try {
      using message = await here.receive(LONG)
      if (message === undefined) break
      received.push(`${textOf(message.bytes)}, ${message.descriptors.length}`)
    } catch (error) {
      received.push(error instanceof ChannelError ? `${error.code}: ${error.message}` : String(error))
    }
  }
  const empty = 'ERR_BAD_MESSAGE: receive: a message without bytes and descriptors'
  t.deepEqual(received, [empty, 'first, 0', empty, ', 1', empty, empty, 'last, 0'])
  t.is(await here.receive(LONG), undefined)
  here.close()
  t.true(descriptors() <= before, `${descriptors()} of ${before}`)
})
