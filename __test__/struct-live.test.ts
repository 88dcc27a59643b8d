import { inspect } from 'node:util'
import test from 'ava'
import {
  ArgumentError,
  array,
  bool,
  bytes,
  bytesOf,
  copyInto,
  f32,
  f64,
  i32,
  isLiveView,
  LockError,
  memoryOf,
  SchemaError,
  struct,
  text,
  u8,
  u64,
} from 'pagecast'

const Point = struct({ x: f64, y: f64 })
const Everything = struct({
  count: i32,
  total: u64,
  flag: bool,
  name: text(8),
  raw: bytes(4),
  trail: array(f64, 3),
  flags: array(bool, 2),
  names: array(text(4), 2),
  grid: array(array(f32, 2), 2),
  point: Point,
  points: array(Point, 2),
})

const everything = {
  count: 1,
  total: 2n,
  flag: true,
  name: 'name',
  raw: new Uint8Array([1, 2, 3, 4]),
  trail: new Float64Array([1, 2, 3]),
  flags: [true, false],
  names: ['a', 'b'],
  grid: [new Float32Array([1, 2]), new Float32Array([3, 4])],
  point: { x: 1, y: 2 },
  points: [
    { x: 3, y: 4 },
    { x: 5, y: 6 },
  ],
}

class Lock {
  held = true
  checks = 0
  readonly writable: boolean

  constructor(writable: boolean) {
    this.writable = writable
  }

  check(): void {
    this.checks++
    if (!this.held) throw new LockError('ERR_RELEASED', 'the lock was released')
  }
}

function scene(writable = true) {
  const memory = memoryOf(new ArrayBuffer(8 + Everything.byteLength))
  Everything.encode(memory, 8, everything)
  const lock = new Lock(writable)
  return { memory, lock, value: Everything.live(memory, 8, lock), read: () => Everything.decode(memory, 8) }
}

const released = { instanceOf: LockError, code: 'ERR_RELEASED' }
const readOnly = { instanceOf: LockError, code: 'ERR_READ_ONLY' }

test('a live view shows the memory as it is now', t => {
  const { memory, value } = scene()
  t.is(value.count, 1)
  Everything.encodePartial(memory, 8, { count: 2, total: 3n, flag: false, name: 'other', point: { x: 7, y: 8 } })
  t.is(value.count, 2)
  t.is(value.total, 3n)
  t.false(value.flag)
  t.is(value.name, 'other')
  t.is(value.point.x, 7)
  t.is(value.points.at(1)?.y, 6)
})

test('what is set is in the memory', t => {
  const { value, read } = scene()
  value.count = -5
  value.total = 7n
  value.flag = false
  value.name = 'é'
  value.trail[1] = 0.5
  value.raw[0] = 9
  value.point.y = 10
  value.flags.set(1, true)
  value.names.set(0, 'zz')
  ;(value.grid.at(1) as Float32Array)[0] = 8
  ;(value.points.at(-1) as { x: number }).x = 11
  t.deepEqual(read(), {
    count: -5,
    total: 7n,
    flag: false,
    name: 'é',
    raw: new Uint8Array([9, 2, 3, 4]),
    trail: new Float64Array([1, 0.5, 3]),
    flags: [true, true],
    names: ['zz', 'b'],
    grid: [new Float32Array([1, 2]), new Float32Array([8, 4])],
    point: { x: 1, y: 10 },
    points: [
      { x: 3, y: 4 },
      { x: 11, y: 6 },
    ],
  })
})

test('nested structs and arrays are set by copy', t => {
  const { value, read } = scene()
  const point = { x: 20, y: 21 }
  value.point = point
  point.x = 0
  value.trail = new Float64Array([7, 8, 9])
  value.raw = new Uint8Array([5, 6, 7, 8])
  value.points.set(0, value.point)
  value.grid.set(0, [9, 9])
  Object.assign(value, { flags: [false, true], names: ['c', 'd'] })
  t.deepEqual(read(), {
    ...everything,
    raw: new Uint8Array([5, 6, 7, 8]),
    trail: new Float64Array([7, 8, 9]),
    flags: [false, true],
    names: ['c', 'd'],
    grid: [new Float32Array([9, 9]), new Float32Array([3, 4])],
    point: { x: 20, y: 21 },
    points: [
      { x: 20, y: 21 },
      { x: 5, y: 6 },
    ],
  })
})

test('a setter checks, and a refused value changes nothing', t => {
  const { value, memory } = scene()
  const before = memory.bytes.slice()
  const expectation = (message: RegExp) => ({ instanceOf: ArgumentError, code: 'ERR_VALUE_RANGE', message })
  for (const [name, given, message] of [
    ['count', 1.5, /^field count: expected i32, .* given 1.5$/],
    ['total', 1, /^field total: /],
    ['flag', 1, /^field flag: /],
    ['name', '123456789', /^field name: .* not of 9/],
    ['raw', [1, 2, 3, 4], /^field raw: /],
    ['trail', [1, 2], /^field trail: expected an array of 3/],
    ['trail', [1, 2, '3'], /^field trail\[2\]: /],
    ['flags', [true, 1], /^field flags\[1\]: /],
    ['point', { x: 1, y: null }, /^field point\.y: /],
    [
      'points',
      [
        { x: 0, y: 0 },
        { x: 0, y: 1n },
      ],
      /^field points\[1\]\.y: /,
    ],
  ] as const) {
    t.throws(() => Object.assign(value, { [name]: given }), expectation(message))
  }
  t.throws(() => value.flags.set(0, 1 as never), expectation(/^field \[0\]: expected bool/))
  t.throws(() => value.points.set(1, { x: 1 } as never), { code: 'ERR_MISSING_FIELD', message: /^field \[1\]\.y: missing/ })
  t.throws(() => value.names.set(0, 'grüße'), expectation(/^field \[0\]: expected text of at most 4 bytes/))
  for (const index of [2, -1, 0.5, Number.NaN, '0']) {
    t.throws(() => value.flags.set(index as number, true), {
      code: 'ERR_INVALID_ARGUMENT',
      message: /^set: expected an index from 0 to 1, given/,
    })
  }
  t.deepEqual(memory.bytes, before)
})

test('every access asks the guard, and none is served after the release', t => {
  const { value, lock, memory } = scene()
  const { point, points, flags } = value
  const { checks } = lock
  t.is(value.count + point.x, 2)
  t.is(lock.checks, checks + 2)
  lock.held = false
  const before = memory.bytes.slice()
  for (const name of Object.keys(everything)) {
    t.throws(() => Reflect.get(value, name), released, name)
    t.throws(() => Reflect.set(value, name, Reflect.get(everything, name)), released, name)
  }
  t.throws(() => point.x, released)
  t.throws(() => Object.assign(point, { x: 1 }), released)
  t.throws(() => points.at(0), released)
  t.throws(() => flags.set(0, true), released)
  t.throws(() => [...flags], released)
  t.throws(() => bytesOf(value), released)
  t.throws(() => JSON.stringify(point), released)
  t.throws(() => Point.check(point), released)
  t.deepEqual(memory.bytes, before)
})

test('a view for reading cannot be written', t => {
  const { value, memory } = scene(false)
  const before = memory.bytes.slice()
  t.is(value.count, 1)
  for (const name of Object.keys(everything)) t.throws(() => Reflect.set(value, name, Reflect.get(everything, name)), readOnly, name)
  t.throws(() => Object.assign(value.point, { x: 1 }), { ...readOnly, message: /^write x: / })
  t.throws(() => value.flags.set(0, true), readOnly)
  t.throws(() => copyInto(value, Everything, memory, 8), readOnly)
  t.deepEqual(memory.bytes, before)
})

test('arrays of numbers are windows, the others act like arrays', t => {
  const { value, memory } = scene()
  t.true(value.trail instanceof Float64Array)
  t.is(value.trail.buffer, memory.buffer)
  t.is(value.trail, value.trail, 'it is made once')
  t.is(value.raw.byteLength, 4)
  t.is(value.flags.length, 2)
  t.deepEqual([...value.flags], [true, false])
  t.deepEqual([value.flags.at(-2), value.flags.at(2), value.flags.at(-3), value.flags.at(0.5)], [true, undefined, undefined, undefined])
  t.deepEqual([...value.names], ['a', 'b'])
  t.deepEqual(
    [...value.points].map(({ x }) => x),
    [3, 5],
  )
  t.is(value.grid.at(0)?.[1], 2)
})

test('a live view is shown as its values', t => {
  const { value, lock } = scene()
  t.is(JSON.stringify(value.points), '[{"x":3,"y":4},{"x":5,"y":6}]')
  t.is(inspect(value.point), '{ x: 1, y: 2 }')
  t.is(inspect(value.flags), '[ true, false ]')
  const names: string[] = []
  for (const name in value) names.push(name)
  t.deepEqual(names, Object.keys(everything))
  lock.held = false
  t.throws(() => inspect(value), released)
})

test('a live view must be inside the memory and aligned', t => {
  const memory = memoryOf(new ArrayBuffer(64))
  const lock = new Lock(true)
  for (const byteOffset of [4, -8, 56, 64, Number.NaN, 0.5, Number.POSITIVE_INFINITY]) {
    t.throws(() => Point.live(memory, byteOffset, lock), {
      instanceOf: ArgumentError,
      code: 'ERR_INVALID_ARGUMENT',
      message: /^live: expected the offset of 16 bytes/,
    })
  }
  t.is(Point.live(memory, 48, lock).x, 0)
})

test('fields may have any names', t => {
  const Odd = struct({ toJSON: i32, toString: i32, at: i32, length: i32, hasOwnProperty: i32 })
  const view = Odd.view()
  view.length = 5
  view.toString = 6 as never
  t.is(view.length, 5)
  t.deepEqual(Object.values(Odd.decode(memoryOf(bytesOf(view).buffer), 0)), [0, 6, 0, 5, 0])
  t.regex(inspect(view), /length: 5/)
})

test('a view has memory of its own', t => {
  const [one, two] = [Everything.view(), Everything.view()]
  t.true(isLiveView(one))
  t.false(isLiveView({}))
  one.count = 5
  t.is(two.count, 0)
  t.is(bytesOf(one).byteLength, Everything.byteLength)
  t.is(bytesOf(one)[0], 5)
  bytesOf(one)[0] = 6
  t.is(one.count, 6)
  for (const value of [{}, everything, null, new Uint8Array(4)]) {
    t.throws(() => bytesOf(value as object), { instanceOf: ArgumentError, code: 'ERR_INVALID_ARGUMENT' })
    t.throws(() => copyInto(value as object, Everything, memoryOf(new ArrayBuffer(512)), 0), { code: 'ERR_INVALID_ARGUMENT' })
  }
})

test('a struct is copied into a view of the same type, and of one with other offsets', t => {
  const { memory } = scene()
  const same = Everything.view()
  copyInto(same, Everything, memory, 8)
  t.deepEqual(bytesOf(same), memory.bytes.subarray(8))
  const Some = struct({
    points: array(struct({ y: f64 }), 2),
    first: text(8).with({ unit: 'm' }),
    name: text(8),
    grid: array(array(f32, 2), 2),
  })
  const Publisher = struct({ ...{ lead: u8, first: text(8) }, name: text(8), grid: array(array(f32, 2), 2), points: array(Point, 2) })
  const place = memoryOf(new ArrayBuffer(Publisher.byteLength + 16))
  const { name, grid, points } = everything
  Publisher.encode(place, 16, { lead: 1, first: '1st', name, grid, points })
  const view = Some.view()
  copyInto(view, Publisher, place, 16)
  copyInto(view, Publisher, place, 16)
  t.deepEqual(Some.decode(memoryOf(bytesOf(view).buffer), 0), { points: [{ y: 4 }, { y: 6 }], first: '1st', name, grid })
  t.throws(() => copyInto(same, Publisher, place, 16), { instanceOf: SchemaError, code: 'ERR_SCHEMA_MISMATCH' })
})
