import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Broker, bytes, Consumer, DescriptorChannel, Mutex, PAGE_SIZE, Publisher, Region, SharedMemory } from 'pagecast'
import { descriptors } from './helpers/descriptors.js'
import { arrayFor } from './helpers/overlay.js'
import { scene } from './helpers/scene.js'
import { segment } from './helpers/sysv.js'

const SIZE = 65_536
const LONG = { timeout: 50_000 }
/** JavaScriptCore keeps no array where it is. */
const hasOverlays = process.versions.bun === undefined

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

/** Something that has a descriptor, until it is closed. */
interface Holder {
  readonly fd: number
  close(): void
}

/** One of each class, and the descriptor of one of them as it is received. */
function holders(directory: string): Record<string, Holder> {
  const memory = SharedMemory.open('object', 'x+', { directory, size: SIZE })
  memory.unlink()
  const region = Region.map({ source: 'memfd', size: SIZE })
  const publisher = Publisher.create({ memfd: 'published' }, bytes(8))
  publisher.write(Buffer.from('abc'))
  const consumer = Consumer.open({ fd: publisher }, bytes(8))
  const others = { memory, region, publisher, consumer }
  return hasOverlays ? { ...others, overlay: Region.overlay(arrayFor(2 * SIZE), { source: 'memfd', size: SIZE }) } : others
}

scene('shareable: a channel sends whatever has a descriptor, and says of what is closed that it is', async (t, { directory }) => {
  const before = descriptors()
  {
    const [here, other] = DescriptorChannel.pair()
    using there = DescriptorChannel.from(other)
    other.close()
    t.throws(() => DescriptorChannel.from(other), { code: 'ERR_DISPOSED' })
    const all = holders(directory)
    const file = await open('/dev/null', 'r')
    await here.send({ descriptors: [...Object.values(all), file] }, LONG)
    await file.close()
    await t.throwsAsync(here.send({ descriptors: [file] }, LONG), { code: 'ERR_INVALID_ARGUMENT', message: /descriptors\[0\]\.fd is -1/ })
    using message = await there.receive(LONG)
    const received = message?.descriptors ?? []
    t.is(received.length, Object.keys(all).length + 1)
    for (const [index, [name, holder]] of Object.entries(all).entries()) {
      using region = received[index]?.map()
      using same = Region.map({ source: { fd: holder }, access: 'r' })
      t.deepEqual(region?.read(SIZE), same.read(SIZE), name)
      t.deepEqual(same.handle().inode, region?.handle().inode, name)
    }
    for (const [name, holder] of Object.entries(all)) {
      holder.close()
      await t.throwsAsync(here.send({ descriptors: [holder] }, LONG), { code: 'ERR_DISPOSED' }, name)
      t.throws(() => Region.map({ source: { fd: holder } }), { code: 'ERR_DISPOSED' }, name)
    }
    using attached = Region.map({ source: segment(t, PAGE_SIZE) })
    await t.throwsAsync(here.send({ descriptors: [attached] }, LONG), { code: 'ERR_UNSUPPORTED' })
    here.close()
  }
  t.deepEqual(descriptors(), before)
})

scene('shareable: what is received leads to publications, regions and channels', async t => {
  const before = descriptors()
  {
    const [here, other] = DescriptorChannel.pair()
    using publisher = Publisher.create({ memfd: 'published' }, bytes(8))
    publisher.write(Buffer.from('abc'))
    using region = Region.map({ source: 'memfd', size: SIZE, placement: 'portable' })
    region.bytes[5] = 7
    const [ours, theirs] = DescriptorChannel.pair()
    using there = DescriptorChannel.from(other)
    other.close()
    await here.send({ descriptors: [publisher, region, theirs] }, LONG)
    theirs.close()
    using message = await there.receive(LONG)
    const [published, mapped, socket] = message?.descriptors ?? []
    if (published === undefined || mapped === undefined || socket === undefined) return t.fail('it has three')

    using consumer = Consumer.open({ fd: published }, bytes(8))
    t.deepEqual(consumer.read(), new Uint8Array(Buffer.from('abc')))
    using again = Region.fromHandle(region.handle(), { fd: mapped, placement: 'hint' })
    t.is(again.bytes[5], 7)
    t.throws(() => Region.fromHandle(region.handle(), { fd: published, placement: 'hint' }), { code: 'ERR_INVALID_ARGUMENT' })
    using channel = DescriptorChannel.from(socket)
    message?.close()
    await channel.send({ bytes: Buffer.from('through') }, LONG)
    const answer = await ours.receive(LONG)
    t.is(Buffer.from(answer?.bytes ?? []).toString(), 'through')

    for (const closed of [() => Consumer.open({ fd: published }, bytes(8)), () => Region.fromHandle(region.handle(), { fd: mapped })]) {
      t.throws(closed, { code: 'ERR_DISPOSED' })
    }
    t.throws(() => Publisher.create({ fd: published }, bytes(8)), { code: 'ERR_DISPOSED' })
    t.throws(() => DescriptorChannel.from(socket), { code: 'ERR_DISPOSED' })
    ours.close()
    here.close()
  }
  t.deepEqual(descriptors(), before)
})

scene('shareable: a broker is given whatever has a descriptor', async (t, { directory }) => {
  using broker = Broker.listen(join(directory, 'broker'))
  using client = await Broker.connect(broker.path, LONG)
  const all = holders(directory)
  for (const [name, holder] of Object.entries(all)) {
    await client.share(name, holder, LONG)
    using region = await client.get(name, { ...LONG, access: 'r' })
    using same = Region.map({ source: { fd: holder }, access: 'r' })
    t.is(same.handle().inode, region.handle().inode, name)
    holder.close()
    await t.throwsAsync(client.share(`${name} again`, holder, LONG), { code: 'ERR_DISPOSED' }, name)
  }
})

scene('shareable: what has no descriptor is refused by name, before anything is sent', async t => {
  const [here, other] = DescriptorChannel.pair()
  const region = Region.map({ size: SIZE })
  const handle = region.handle()
  region.close()
  const none = [null, '3', true, {}, [], () => 3, Symbol('fd'), { fd: '3' }, { fd: -1 }, { fd: 1.5 }, { fd: null }, { fd: { fd: 3 } }, here]
  for (const value of none) {
    const refused = (what: RegExp) => ({ code: 'ERR_INVALID_ARGUMENT', message: what })
    await t.throwsAsync(here.send({ descriptors: [bad(value)] }, LONG), refused(/^send: descriptors\[0\](\.fd)? is .*expected /))
    t.throws(() => DescriptorChannel.from(bad(value)), refused(/^channel: fd(\.fd)? is /))
    t.throws(() => Consumer.open({ fd: bad(value) }, bytes(8)), refused(/^open: fd(\.fd)? is /))
    t.throws(() => Region.map({ source: { fd: bad(value) } }), refused(/^map: source\.fd(\.fd)? is /))
    t.throws(() => Region.fromHandle(handle, { fd: bad(value) }), refused(/^map .*: fd(\.fd)? is /))
  }
  other.close()
  here.close()
})

if (hasOverlays) {
  scene('shareable: a mutex lies in the shared part of an overlay', t => {
    using region = Region.map({ source: 'memfd', size: SIZE })
    using overlay = Region.overlay(arrayFor(2 * SIZE), { source: { fd: region }, size: SIZE })
    using mine = Mutex.at(overlay, 128)
    using other = Mutex.at(region, 128)
    {
      using _ = mine.lock()
      t.is(other.tryLock(), undefined)
      t.is(other.holder?.pid, process.pid)
    }
    using beside = Mutex.at(region, 192)
    using _ = mine.lock()
    t.not(beside.tryLock(), undefined)
    t.throws(() => Mutex.at(overlay, SIZE), { code: 'ERR_VALUE_RANGE' })
    overlay.close()
    t.is(other.tryLock(), undefined, 'it outlives the overlay')
    t.throws(() => Mutex.at(overlay, 0), { code: 'ERR_DISPOSED', message: /this overlay is closed/ })
    t.throws(() => Mutex.at(bad({ fd: region.fd }), 0), { code: 'ERR_INVALID_ARGUMENT', message: /expected a Region or an Overlay/ })
  })
}
