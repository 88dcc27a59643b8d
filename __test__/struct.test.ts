import test from 'ava'
import {
  ArgumentError,
  array,
  bool,
  bytes,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  memoryOf,
  PagecastError,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
} from 'pagecast'

const Point = struct({ x: f64, y: f64 })
const Everything = struct({
  flag: bool,
  count: i32,
  total: u64,
  safe: i64({ as: 'number' }),
  name: text(8),
  raw: bytes(4),
  trail: array(f64, 3),
  small: array(u8, 2),
  flags: array(bool, 2),
  names: array(text(4), 2),
  grid: array(array(i16, 2), 2),
  point: Point,
  points: array(Point, 2),
})

const everything = {
  flag: true,
  count: -7,
  total: 2n ** 60n,
  safe: -(2 ** 50),
  name: 'Grüße',
  raw: new Uint8Array([1, 2, 3, 4]),
  trail: new Float64Array([1.5, Number.NaN, Number.POSITIVE_INFINITY]),
  small: new Uint8Array([0, 255]),
  flags: [true, false],
  names: ['a', '🦀'],
  grid: [new Int16Array([1, -1]), new Int16Array([32767, -32768])],
  point: { x: 1, y: 2 },
  points: [
    { x: 3, y: 4 },
    { x: 5, y: 6 },
  ],
}

const memory = (byteLength: number) => memoryOf(new ArrayBuffer(byteLength))

test('a value is read as it was written', t => {
  const place = memory(Everything.byteLength)
  Everything.encode(place, 0, everything)
  const value = Everything.decode(place, 0)
  t.deepEqual(value, everything)
  place.bytes.fill(0)
  t.deepEqual(value, everything, 'it is a copy')
})

test('arrays may be given as plain and as typed arrays, of any kind, and as other array-likes', t => {
  const Arrays = struct({ bytes: array(u8, 3), floats: array(f32, 3), longs: array(i64, 2), flags: array(bool, 2) })
  const place = memory(Arrays.byteLength)
  const read = {
    bytes: new Uint8Array([1, 2, 3]),
    floats: new Float32Array([1, 2, 3]),
    longs: new BigInt64Array([1n, -1n]),
    flags: [true, false],
  }
  Arrays.encode(place, 0, {
    bytes: [1, 2, 3],
    floats: new Float64Array([1, 2, 3]),
    longs: [1n, -1n],
    flags: { length: 2, 0: true, 1: false },
  })
  t.deepEqual(Arrays.decode(place, 0), read)
  Arrays.encode(place, 0, {
    bytes: Buffer.from([1, 2, 3]),
    floats: new Uint8ClampedArray([1, 2, 3]),
    longs: new BigInt64Array([1n, -1n]),
    flags: [true, false],
  })
  t.deepEqual(Arrays.decode(place, 0), read)
})

test('the layout is that of C', t => {
  t.deepEqual(
    Everything.fields.map(({ name, byteOffset }) => [name, byteOffset]),
    [
      ['flag', 0],
      ['count', 4],
      ['total', 8],
      ['safe', 16],
      ['name', 24],
      ['raw', 32],
      ['trail', 40],
      ['small', 64],
      ['flags', 66],
      ['names', 68],
      ['grid', 76],
      ['point', 88],
      ['points', 104],
    ],
  )
  t.is(Everything.byteLength, 136)
  t.is(Everything.alignment, 8)
})

test('a struct that is written has zeros between its fields', t => {
  const Gaps = struct({ a: u8, b: f64, c: text(3) })
  const place = memory(Gaps.byteLength)
  place.bytes.fill(255)
  Gaps.encode(place, 0, { a: 1, b: 0, c: 'x' })
  t.deepEqual([...place.bytes], [1, ...new Array(15).fill(0), 120, 0, 0, 0, 0, 0, 0, 0])
})

/** Each refusal must name the field, what was expected and what was given, and leave the memory alone. */
const refused = test.macro((t, change: object, code: string, message: string | RegExp) => {
  const place = memory(Everything.byteLength)
  Everything.encode(place, 0, everything)
  const before = place.bytes.slice()
  const value = { ...everything, ...change }
  const expectation = { instanceOf: ArgumentError, code, message }
  t.throws(() => Everything.check(value), expectation)
  t.throws(() => Everything.encode(place, 0, value), expectation)
  if (code !== 'ERR_MISSING_FIELD') {
    t.throws(() => Everything.checkPartial(change), expectation)
    t.throws(() => Everything.encodePartial(place, 0, { count: 5, ...change }), expectation)
  }
  t.deepEqual(place.bytes, before)
})

const i32Expected = 'expected i32, an integer from -2147483648 to 2147483647'
for (const [given, words] of [
  [1.5, '1.5'],
  [Number.NaN, 'NaN'],
  [Number.POSITIVE_INFINITY, 'Infinity'],
  [Number.NEGATIVE_INFINITY, '-Infinity'],
  [2 ** 31, '2147483648'],
  [-(2 ** 31) - 1, '-2147483649'],
  ['1', '"1"'],
  [1n, 'the bigint 1'],
  [true, 'true'],
  [null, 'null'],
  [{}, 'an object'],
  [[1], 'an array of 1'],
  [Symbol('x'), 'a symbol'],
  [() => 1, 'a function'],
] as const) {
  test(`an integer cannot be ${words}`, refused, { count: given }, 'ERR_VALUE_RANGE', `field count: ${i32Expected}, given ${words}`)
}

test(
  'a bigint field takes no number',
  refused,
  { total: 5 },
  'ERR_VALUE_RANGE',
  /^field total: expected u64, a bigint from 0 to \d+, given 5$/,
)
test('a bigint field has limits', refused, { total: -1n }, 'ERR_VALUE_RANGE', /given the bigint -1$/)
test('a bigint field has an upper limit', refused, { total: 2n ** 64n }, 'ERR_VALUE_RANGE', /given the bigint 18446744073709551616$/)
test(
  'a safe integer must be safe',
  refused,
  { safe: 2 ** 53 },
  'ERR_VALUE_RANGE',
  /^field safe: expected i64, a safe integer .*, given 9007199254740992$/,
)
test('a safe integer is no bigint', refused, { safe: 5n }, 'ERR_VALUE_RANGE', /given the bigint 5$/)
test('a bool is no number', refused, { flag: 1 }, 'ERR_VALUE_RANGE', 'field flag: expected bool, true or false, given 1')
test(
  'a text must fit',
  refused,
  { name: 'Grüße 123' },
  'ERR_VALUE_RANGE',
  'field name: expected text of at most 8 bytes, not of 11, given "Grüße 123"',
)
test('a long text must fit', refused, { name: 'x'.repeat(100) }, 'ERR_VALUE_RANGE', /not of 100, given "x{40}"… \(100 characters\)$/)
test('a text has no NUL', refused, { name: 'a\0b' }, 'ERR_VALUE_RANGE', 'field name: expected text without NUL, given "a\\u0000b"')
test(
  'a text has no lone surrogates',
  refused,
  { name: '\ud83e' },
  'ERR_VALUE_RANGE',
  'field name: expected text without lone surrogates, given "\\ud83e"',
)
test('a text is a string', refused, { name: 5 }, 'ERR_VALUE_RANGE', 'field name: expected text of at most 8 bytes, given 5')
test(
  'bytes have their length',
  refused,
  { raw: new Uint8Array(3) },
  'ERR_VALUE_RANGE',
  'field raw: expected a Uint8Array of 4 bytes, given a Uint8Array of 3',
)
test(
  'bytes are no array',
  refused,
  { raw: [1, 2, 3, 4] },
  'ERR_VALUE_RANGE',
  'field raw: expected a Uint8Array of 4 bytes, given an array of 4',
)
test('an array has its length', refused, { trail: [1, 2] }, 'ERR_VALUE_RANGE', 'field trail: expected an array of 3, given an array of 2')
test(
  'a typed array has its length',
  refused,
  { trail: new Float64Array(4) },
  'ERR_VALUE_RANGE',
  'field trail: expected an array of 3, given a Float64Array of 4',
)
test('an array is no string', refused, { flags: 'ab' }, 'ERR_VALUE_RANGE', 'field flags: expected an array of 2, given "ab"')
test(
  'an element is checked',
  refused,
  { small: [1, 256] },
  'ERR_VALUE_RANGE',
  'field small[1]: expected u8, an integer from 0 to 255, given 256',
)
test(
  'an element of a typed array is checked',
  refused,
  { small: new Int16Array([1, -1]) },
  'ERR_VALUE_RANGE',
  /^field small\[1\]: .* given -1$/,
)
test('a hole is no element', refused, { small: new Array(2) }, 'ERR_VALUE_RANGE', /^field small\[0\]: .* given undefined$/)
test(
  'an element of an element is checked',
  refused,
  {
    grid: [
      [1, 2],
      [3, 0.5],
    ],
  },
  'ERR_VALUE_RANGE',
  /^field grid\[1\]\[1\]: .* given 0.5$/,
)
test(
  'a nested field is checked',
  refused,
  { point: { x: 1, y: '2' } },
  'ERR_VALUE_RANGE',
  'field point.y: expected f64, a number, given "2"',
)
test(
  'a field of an element is checked',
  refused,
  { points: [Point.view(), { x: 1, y: 2n }] },
  'ERR_VALUE_RANGE',
  /^field points\[1\]\.y: .* given the bigint 2$/,
)
test('a nested struct is an object', refused, { point: 5 }, 'ERR_VALUE_RANGE', 'field point: expected an object of fields, given 5')
test('a field may not be missing', refused, { count: undefined }, 'ERR_MISSING_FIELD', `field count: missing, ${i32Expected}`)
test('an array may not be missing', refused, { trail: undefined }, 'ERR_MISSING_FIELD', 'field trail: missing, expected an array of 3')
test(
  'a struct may not be missing',
  refused,
  { point: undefined },
  'ERR_MISSING_FIELD',
  'field point: missing, expected an object of fields',
)
test('an unknown field is refused', refused, { cuont: 1 }, 'ERR_UNKNOWN_FIELD', /^field cuont: unknown, expected one of flag, count, /)
test(
  'an unknown nested field is refused',
  refused,
  { point: { x: 1, y: 2, z: 3 } },
  'ERR_UNKNOWN_FIELD',
  'field point.z: unknown, expected one of x, y',
)

test('a nested field may not be missing', t => {
  const value = { ...everything, points: [{ x: 1, y: 1 }, { x: 1 }] } as never
  t.throws(() => Everything.check(value), { code: 'ERR_MISSING_FIELD', message: 'field points[1].y: missing, expected f64, a number' })
})

test('what every object inherits is no field', t => {
  const Odd = struct({ toString: i32, valueOf: i32 })
  t.throws(() => Odd.check({ valueOf: 1 } as never), { code: 'ERR_MISSING_FIELD', message: /^field toString: / })
  const place = memory(8)
  Odd.encode(place, 0, { toString: 1, valueOf: 2 } as never)
  t.deepEqual(Object.entries(Odd.decode(place, 0)), [
    ['toString', 1],
    ['valueOf', 2],
  ])
})

for (const value of [undefined, null, 5, 'text', [], new Uint8Array(200)]) {
  test(`${JSON.stringify(value)?.slice(0, 20)} is no value of a struct`, t => {
    const error = t.throws(() => Everything.check(value as never), { instanceOf: ArgumentError })
    t.regex((error as PagecastError).code, /^ERR_(VALUE_RANGE|MISSING_FIELD|UNKNOWN_FIELD)$/)
    t.throws(() => Point.checkPartial(5 as never), { code: 'ERR_VALUE_RANGE', message: 'value: expected an object of fields, given 5' })
  })
}

test('the ends of every range are taken, and what is beyond is not', t => {
  const ranges = {
    i8: [i8, -128, 127],
    u8: [u8, 0, 255],
    i16: [i16, -32768, 32767],
    u16: [u16, 0, 65535],
    u32: [u32, 0, 2 ** 32 - 1],
  } as const
  for (const [type, least, most] of Object.values(ranges)) {
    const One = struct({ value: type })
    const place = memory(One.byteLength)
    for (const value of [least, most]) {
      One.encode(place, 0, { value })
      t.is(One.decode(place, 0).value, value)
    }
    for (const value of [least - 1, most + 1, least + 0.5, Number.NaN]) t.throws(() => One.check({ value }), { code: 'ERR_VALUE_RANGE' })
    One.encode(place, 0, { value: -0 })
    t.is(One.decode(place, 0).value, 0)
  }
})

test('floats take every number', t => {
  const Floats = struct({ single: f32, double: f64 })
  const place = memory(16)
  for (const value of [Number.NaN, Number.NEGATIVE_INFINITY, -0, 1e300, 5e-324]) {
    Floats.encode(place, 0, { single: value, double: value })
    t.deepEqual(Floats.decode(place, 0), { single: Math.fround(value), double: value })
  }
})

test('an integer of 64 bits can be a number while it is safe', t => {
  const Wide = struct({ signed: i64({ as: 'number' }), unsigned: u64({ as: 'number' }), many: array(u64({ as: 'number' }), 2) })
  const place = memory(32)
  const value = { signed: Number.MIN_SAFE_INTEGER, unsigned: Number.MAX_SAFE_INTEGER, many: [0, 2 ** 32] }
  Wide.encode(place, 0, value)
  t.deepEqual(Wide.decode(place, 0), value)
  t.is(place.view.getBigInt64(0, true), BigInt(Number.MIN_SAFE_INTEGER))
  place.view.setBigInt64(0, -(2n ** 53n), true)
  t.throws(() => Wide.decode(place, 0), {
    instanceOf: ArgumentError,
    code: 'ERR_VALUE_RANGE',
    message: /^field signed: -9007199254740992 is no safe integer/,
  })
  place.view.setBigInt64(0, 0n, true)
  place.view.setBigUint64(24, 2n ** 64n - 1n, true)
  t.throws(() => Wide.decode(place, 0), { code: 'ERR_VALUE_RANGE', message: /18446744073709551615 is no safe integer/ })
  t.throws(() => Wide.check({ ...value, unsigned: -1 }), { code: 'ERR_VALUE_RANGE' })
})

test('an integer of 64 bits is a type and a function', t => {
  t.is(struct({ a: u64, b: u64(), c: u64({ as: 'bigint' }) }).byteLength, 24)
  t.throws(() => u64({ as: 'string' } as never), {
    code: 'ERR_INVALID_ARGUMENT',
    message: `u64: expected as: 'bigint' or 'number', given "string"`,
  })
  t.is(`${u64} ${u64({ as: 'number' })}`, `u64 u64({ as: 'number' })`)
})

test('any byte but 0 is true', t => {
  const Flags = struct({ one: bool, more: array(bool, 2) })
  const place = memory(3)
  place.bytes.set([2, 0, 255])
  t.deepEqual(Flags.decode(place, 0), { one: true, more: [false, true] })
})

test('text that others wrote is read up to NUL, and what is no UTF-8 is replaced', t => {
  const Name = struct({ name: text(6) })
  const place = memory(6)
  for (const [written, read] of [
    [[104, 105, 0, 120, 120, 120], 'hi'],
    [[97, 98, 99, 100, 101, 102], 'abcdef'],
    [[97, 0xff, 98, 0, 0, 0], 'a\ufffdb'],
    [[0xef, 0xbb, 0xbf, 97, 0, 0], '\ufeffa'],
    [[0, 97, 0, 0, 0, 0], ''],
  ] as const) {
    place.bytes.set(written)
    t.is(Name.decode(place, 0).name, read)
  }
})

test('a part of a struct can be written', t => {
  const place = memory(Everything.byteLength + 8)
  Everything.encode(place, 8, everything)
  Everything.encodePartial(place, 8, { count: 5, name: 'new', point: { x: 9, y: 9 }, trail: [1, 2, 3] })
  const expected = { ...everything, count: 5, name: 'new', point: { x: 9, y: 9 }, trail: new Float64Array([1, 2, 3]) }
  t.deepEqual(Everything.decode(place, 8), expected)
  Everything.encodePartial(place, 8, {})
  t.deepEqual(Everything.decode(place, 8), expected)
  t.throws(() => Everything.encodePartial(place, 8, { count: undefined } as never), {
    code: 'ERR_VALUE_RANGE',
    message: /^field count: .* given undefined$/,
  })
})

test('a getter is asked once, and what it gave when checked is what is written', t => {
  const place = memory(Everything.byteLength)
  let asked = 0
  const value = Object.defineProperty({ ...everything }, 'count', { get: () => (asked++ === 0 ? 1 : Number.NaN) })
  Everything.encode(place, 0, value)
  t.is(asked, 1)
  t.is(Everything.decode(place, 0).count, 1)
  const array = Object.assign([1, 2, 3], {})
  let elements = 0
  Object.defineProperty(array, 1, { get: () => (elements++ === 0 ? 2 : 'no') })
  Everything.encode(place, 0, { ...everything, trail: array })
  t.is(elements, 1)
})

test('a getter that writes the same struct disturbs nothing', t => {
  const [place, other] = [memory(16), memory(16)]
  const value = {
    x: 1,
    get y() {
      Point.encode(other, 0, { x: 8, y: 9 })
      return 2
    },
  }
  Point.encode(place, 0, value)
  t.deepEqual(Point.decode(place, 0), { x: 1, y: 2 })
  t.deepEqual(Point.decode(other, 0), { x: 8, y: 9 })
})

test('a getter that throws is heard, and nothing is written', t => {
  const place = memory(16)
  const value = {
    x: 1,
    get y(): number {
      throw new RangeError('mine')
    },
  }
  t.throws(() => Point.encode(place, 0, value), { instanceOf: RangeError, message: 'mine' })
  t.deepEqual(place.bytes, new Uint8Array(16))
  Point.encode(place, 0, { x: 1, y: 2 })
  t.deepEqual(Point.decode(place, 0), { x: 1, y: 2 })
})

test('a typed array that lies about its length is not believed', t => {
  const Trail = struct({ trail: array(f64, 3) })
  for (const length of [2, 4]) {
    const liar = Object.defineProperty(new Float64Array(length), 'length', { value: 3 })
    t.throws(() => Trail.check({ trail: liar }), { code: 'ERR_VALUE_RANGE', message: new RegExp(`given a Float64Array of ${length}$`) })
  }
})

test('values with other prototypes do', t => {
  const place = memory(16)
  class Derived {
    get x() {
      return 1
    }
    get y() {
      return 2
    }
  }
  Point.encode(place, 0, new Derived())
  t.deepEqual(Point.decode(place, 0), { x: 1, y: 2 })
  Point.encode(place, 0, Object.assign(Object.create(null), { y: 3, x: 4 }))
  t.deepEqual(Point.decode(place, 0), { x: 4, y: 3 })
})

test('what is read is a plain object', t => {
  const value = Point.decode(memory(16), 0)
  t.is(Object.getPrototypeOf(value), Object.prototype)
  t.deepEqual(Object.getOwnPropertyDescriptor(value, 'x'), { value: 0, writable: true, enumerable: true, configurable: true })
})

for (const [words, make, message] of [
  ['no fields', () => struct({}), 'struct: 0 fields, 1 to 1024 are taken'],
  [
    'too many fields',
    () => struct(Object.fromEntries(Array.from({ length: 1025 }, (_, index) => [`f${index}`, u8]))),
    /^struct: 1025 fields/,
  ],
  ['no object', () => struct(5 as never), 'struct: expected an object of field types, given 5'],
  ['a type that is none', () => struct({ a: 'f64' as never }), /^struct: field a: expected a field type such as .* given "f64"$/],
  ['a missing type', () => struct({ a: undefined as never }), /given undefined$/],
  ['the field __proto__', () => struct({ ['__proto__']: u8 }), /^struct: a field name is .* given "__proto__"$/],
  ['the field constructor', () => struct({ constructor: u8 } as never), /given "constructor"$/],
  ['the field prototype', () => struct({ prototype: u8 }), /given "prototype"$/],
  ['a name with a space', () => struct({ 'a b': u8 }), /given "a b"$/],
  ['a name that is a number', () => struct({ 1: u8 }), /given "1"$/],
  ['an empty name', () => struct({ '': u8 }), /given ""$/],
  ['a name that is too long', () => struct({ ['x'.repeat(256)]: u8 }), /a field name is/],
  [
    'more than 4 GiB',
    () => struct({ a: bytes(2 ** 31 - 1), b: bytes(2 ** 31 - 1), c: bytes(2) }),
    /^struct: 4294967296 bytes, at most 4294967295/,
  ],
  ['text of no bytes', () => text(0), 'text: expected a length from 1 to 2147483647, given 0'],
  ['text of half a byte', () => text(1.5), /given 1.5$/],
  ['bytes without end', () => bytes(Number.POSITIVE_INFINITY), /^bytes: .* given Infinity$/],
  ['bytes of NaN', () => bytes(Number.NaN), /given NaN$/],
  ['an array of -1', () => array(u8, -1), /^array: .* given -1$/],
  ['an array of 2^31', () => array(u8, 2 ** 31), /given 2147483648$/],
  ['an array of "3"', () => array(u8, '3' as never), /given "3"$/],
  ['an array of nothing', () => array(undefined as never, 3), /^array: expected a field type/],
  ['17 levels', () => struct({ a: nested(16) }), 'struct: field a makes structs and arrays 17 deep, at most 16'],
] as const) {
  test(`a type cannot have ${words}`, t => {
    t.throws(make, { instanceOf: ArgumentError, code: 'ERR_INVALID_ARGUMENT', message })
  })
}

function nested(depth: number): ReturnType<typeof array> {
  let type = array(u8, 1) as ReturnType<typeof array>
  for (let level = 1; level < depth; level++) type = array(type, 1)
  return type
}

test('16 levels and 1024 fields do', t => {
  t.is(struct({ a: nested(15) }).byteLength, 1)
  t.is(struct(Object.fromEntries(Array.from({ length: 1024 }, (_, index) => [`f${index}`, u8]))).byteLength, 1024)
})

test('errors say what they are', t => {
  const error = t.throws(() => Point.check({ x: 1 } as never), { instanceOf: PagecastError }) as PagecastError
  t.is(error.name, 'ArgumentError')
  t.regex(String(error.stack), /^ArgumentError: field y: missing/)
  t.deepEqual(Object.keys(error), ['code'])
})
