import { PAGE_SIZE, Region, roundToPageSize, SharedMemory } from 'pagecast'
import { Child } from './helpers/child.js'
import { scene } from './helpers/scene.js'

// What Python's shmutils shows in its tests and its README, done here.

scene('shmutils: test_mmap_fork: a child counts up what its parent has mapped, and answers', async t => {
  using region = Region.map({ source: 'memfd', size: PAGE_SIZE })
  const value = region.view(BigInt64Array, 0, 1)
  value[0] = 1923n
  const child = Child.node('region-counter', [8900], { descriptors: [region.fd] })
  const { was } = await child.says('counted')
  await child.succeeds()
  t.deepEqual([was, value[0]], ['1923', 8900n])
})

scene('shmutils: the 1 GiB of its README: an absolute pointer goes to a spawned process, whatever ASLR does', async (t, scene) => {
  const unique = `${scene.unique}-spawn`
  using memory = SharedMemory.open(unique, 'x+', { size: 2 ** 30, reserve: false }) // sparse, as theirs
  t.teardown(() => SharedMemory.unlink(unique))
  using region = memory.map({ placement: 'portable' })
  const pointer = region.addressOf(2 ** 29)
  const value = region.view(BigInt64Array, region.offsetOf(pointer), 1)
  value[0] = 1923n
  region.view(BigUint64Array, 0, 1)[0] = pointer
  const child = scene.child('region-handle')
  await child.says('ready')
  child.tell(`count ${JSON.stringify(region.handle())}`)
  const { was } = await child.says('counted')
  t.deepEqual([was, value[0]], ['1923', 8900n])
  child.tell()
  await child.succeeds()
})

scene('shmutils: the pages of its README', t => {
  using region = Region.map({ size: 51_342_411 })
  const { pages } = region
  t.is(roundToPageSize(51_342_411), 12_535 * 4096)
  t.is(pages.length, 12_535)
  const part = pages.slice(44, 124)
  const [begin = 0n, ...others] = part
  t.is(others.length, 79)
  t.is(begin, region.address + 180_224n)
  t.is(others.at(-1), begin + BigInt(79 * 4096))
  t.deepEqual([part.length, part.byteOffset, part.byteLength, part.address], [80, 180_224, 327_680, begin])
  t.is(region.absoluteAt(begin, begin + 10n).length, 10)
  t.is(region.absoluteAt(begin, begin + BigInt(part.byteLength)).length, 327_680)

  region.absoluteAt(begin, begin + 10n).fill(0x78)
  t.is(region.offsetOf(begin), 180_224)
  t.is(region.addressOf(180_224), begin)
  t.is(region.seek(180_224), 180_224)
  t.is(new TextDecoder().decode(region.read(10)), 'xxxxxxxxxx')
  t.is(region.tell(), 180_234)
  t.deepEqual([...region.at(180_222, 180_226)], [0, 0, 0x78, 0x78])
})
