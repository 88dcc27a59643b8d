import { PAGE_SIZE, Region, type ViewConstructor } from 'pagecast'
import { bytesOfFile, fileOf, pattern } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

regions('reading and writing move the cursor, as in a file', (t, { directory }) => {
  const file = fileOf(directory, new Uint8Array(10))
  using region = Region.map({ source: { file } })
  t.is(region.tell(), 0)
  t.is(region.write(Uint8Array.of(1, 2, 3)), 3)
  t.is(region.tell(), 3)
  t.is(region.write(new TextEncoder().encode('text')), 4)
  t.deepEqual(bytesOfFile(file, 0, 10), [1, 2, 3, 116, 101, 120, 116, 0, 0, 0])
  t.deepEqual([...region.read(2)], [0, 0])
  t.deepEqual([...region.read(100)], [0])
  t.deepEqual([...region.read()], [])
  t.is(region.seek(0), 0)
  t.deepEqual([...region.read(0)], [])
  t.deepEqual([...region.read(3)], [1, 2, 3])
  t.deepEqual([...region.read()], [116, 101, 120, 116, 0, 0, 0])
  t.is(region.tell(), 10)
})

regions('read gives a copy, readInto fills what is given', t => {
  using region = Region.map({ size: 10 })
  region.bytes.set(pattern(10))
  const copy = region.read()
  region.bytes[0] = 0
  t.deepEqual(copy, pattern(10))
  region.seek(1)
  const target = new Uint8Array(4)
  t.is(region.readInto(target), 4)
  t.deepEqual(target, pattern(10).slice(1, 5))
  const long = Buffer.alloc(100, 0xaa)
  t.is(region.readInto(long), 5)
  t.deepEqual([...long.subarray(0, 5)], [...pattern(10).slice(5)])
  t.true(long.subarray(5).every(byte => byte === 0xaa))
  t.is(region.readInto(long), 0)
  const shared = new Uint8Array(new SharedArrayBuffer(16), 4, 4)
  region.seek(1)
  t.is(region.readInto(shared), 4)
  t.deepEqual([...new Uint8Array(shared.buffer)], [0, 0, 0, 0, ...pattern(10).slice(1, 5), 0, 0, 0, 0, 0, 0, 0, 0])
})

regions('what does not fit is not written, not even in part', t => {
  using region = Region.map({ size: 10 })
  region.seek(-3, 'end')
  t.throws(() => region.write(pattern(4)), { code: 'ERR_INVALID_SIZE', message: /4 bytes.*3/ })
  t.is(region.tell(), 7)
  t.true(region.bytes.every(byte => byte === 0))
  t.is(region.write(pattern(3)), 3)
  t.is(region.tell(), 10)
  t.throws(() => region.write(pattern(1)), { code: 'ERR_INVALID_SIZE' })
  t.is(region.write(new Uint8Array()), 0)
})

regions('the cursor is moved from the start, from where it is, from the end', t => {
  using region = Region.map({ size: 100 })
  t.is(region.seek(10), 10)
  t.is(region.seek(5, 'current'), 15)
  t.is(region.seek(-15, 'current'), 0)
  t.is(region.seek(-10, 'end'), 90)
  t.is(region.seek(0, 'end'), 100)
  t.is(region.seek(50, 'start'), 50)
  for (const [offset, whence] of [
    [-1, 'start'],
    [101, 'start'],
    [-51, 'current'],
    [51, 'current'],
    [1, 'end'],
    [-101, 'end'],
  ] as const) {
    t.throws(() => region.seek(offset, whence), { code: 'ERR_VALUE_RANGE' }, `${offset} from the ${whence}`)
    t.is(region.tell(), 50)
  }
})

regions('at is a part where it is, as subarray has it', t => {
  using region = Region.map({ size: 1000 })
  region.bytes.set(pattern(1000))
  const all = pattern(1000)
  for (const [begin, end] of [[], [0], [10], [10, 20], [-10], [-10, -5], [5, 2], [990, 2000], [-2000, 3], [1000], [undefined, 4]]) {
    const part = region.at(begin, end)
    t.deepEqual(part, all.subarray(begin, end), `${begin} to ${end}`)
    t.is(part.buffer, region.bytes.buffer)
  }
  region.at(-1)[0] = 200
  t.is(region.bytes[999], 200)
  t.is(region.bytes, region.bytes, 'the same array each time')
})

regions('addresses and offsets', t => {
  using region = Region.map({ size: 2 * PAGE_SIZE + 5 })
  const { address, byteLength, bytes } = region
  t.is(address % BigInt(PAGE_SIZE), 0n)
  for (const offset of [0, 1, PAGE_SIZE, byteLength - 1, byteLength]) {
    t.is(region.addressOf(offset), address + BigInt(offset))
    t.is(region.offsetOf(address + BigInt(offset)), offset)
  }
  t.is(region.addressOf(-1), address + BigInt(byteLength - 1))
  t.is(region.addressOf(-byteLength), address)
  bytes.set(pattern(byteLength))
  t.deepEqual(region.absoluteAt(address + 10n, address + 20n), pattern(byteLength).subarray(10, 20))
  t.deepEqual(region.absoluteAt(address + 10n), pattern(byteLength).subarray(10))
  t.is(region.absoluteAt(address + BigInt(byteLength)).length, 0)
  t.is(region.absoluteAt(address + 20n, address + 10n).length, 0)
  region.absoluteAt(address + 3n)[0] = 0
  t.is(bytes[3], 0)
})

regions('bytes of the region itself are copied as if they were somebody else’s', t => {
  using region = Region.map({ source: 'memfd', size: 65_536 })
  for (const own of [region.bytes, new Uint8Array(region.sharedBuffer)]) {
    region.bytes.set(pattern(200))
    region.seek(1)
    region.write(own.subarray(0, 100))
    t.deepEqual(region.at(1, 101), pattern(100))
    region.bytes.set(pattern(200))
    region.seek(0)
    t.is(region.readInto(own.subarray(3, 103)), 100)
    t.deepEqual(region.at(3, 103), pattern(100))
  }
})

regions('an array is what the engine says of it, whatever it says itself', t => {
  using region = Region.map({ source: 'memfd', size: 100 })
  const lying = (array: Uint8Array) => {
    const facts = { length: 1, byteLength: 1, byteOffset: 64, buffer: region.bytes.buffer, constructor: Array, slice: () => [] }
    for (const [name, value] of Object.entries(facts)) Object.defineProperty(array, name, { value })
    return array
  }
  const plain = pattern(50)
  t.is(region.write(lying(pattern(50))), 50)
  t.deepEqual(region.at(0, 51), Uint8Array.of(...plain, 0))
  const memory = new ArrayBuffer(100)
  region.seek(0)
  t.is(region.readInto(lying(new Uint8Array(memory, 10, 50))), 50)
  t.deepEqual(new Uint8Array(memory), Uint8Array.of(...new Uint8Array(10), ...plain, ...new Uint8Array(40)))
  region.seek(10)
  t.is(region.write(lying(region.bytes.subarray(0, 50))), 50)
  t.deepEqual(region.at(10, 60), plain, 'also of the region itself')
  t.is(region.tell(), 60)
})

const types: ViewConstructor[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
]

regions('views of every type end where the region does', t => {
  using region = Region.map({ size: 1000 })
  region.bytes.set(pattern(1000))
  for (const type of types) {
    const size = 'BYTES_PER_ELEMENT' in type ? type.BYTES_PER_ELEMENT : 1
    const whole = region.view(type)
    t.true(whole instanceof type)
    t.is(whole.buffer, region.bytes.buffer)
    t.deepEqual([whole.byteOffset, whole.byteLength], [0, 1000])
    const part = region.view(type, 16, 3)
    t.deepEqual([part.byteOffset, part.byteLength], [16, 3 * size])
    const end = region.view(type, -8)
    t.deepEqual([end.byteOffset, end.byteLength], [992, 8])
    t.is(region.view(type, 1000).byteLength, 0)
    t.is(region.view(type, 0, 0).byteLength, 0)
    t.throws(() => region.view(type, 0, 1000 / size + 1), { code: 'ERR_VALUE_RANGE' })
    t.throws(() => region.view(type, -8, 9), { code: 'ERR_VALUE_RANGE' })
    if (size > 1) t.throws(() => region.view(type, 1), { code: 'ERR_INVALID_ARGUMENT' })
  }
  const numbers = region.view(Float64Array, 8, 2)
  numbers[1] = 0.5
  t.is(region.view(DataView).getFloat64(16, true), 0.5)
  t.is(region.view(BigUint64Array, -8)[0], new DataView(region.read().buffer).getBigUint64(992, true))
})

regions('Float16Array where the engine has it', t => {
  const type = Reflect.get(globalThis, 'Float16Array') as Uint16ArrayConstructor | undefined
  using region = Region.map({ size: 8 })
  if (type === undefined) t.throws(() => region.view(type as never), { code: 'ERR_INVALID_ARGUMENT' })
  else {
    region.view(type, 2, 1)[0] = 1.5
    t.is(region.view(Uint16Array)[1], 0x3e00)
  }
})

regions('a length that is no multiple of the element needs a count', t => {
  using region = Region.map({ size: 13 })
  t.throws(() => region.view(Uint32Array), { code: 'ERR_INVALID_SIZE', message: /13 bytes/ })
  t.is(region.view(Uint32Array, 0, 3).length, 3)
  t.is(region.view(Uint32Array, 8, 1).byteOffset, 8)
  t.is(region.view(DataView).byteLength, 13)
})
