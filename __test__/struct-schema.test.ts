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
  matchSchema,
  memoryOf,
  SchemaError,
  struct,
  structFromSchema,
  text,
  u8,
  u16,
  u32,
  u64,
} from 'pagecast'

const golden = (title: string, make: () => { schemaJson: string }, json: string) =>
  test(`canonical JSON: ${title}`, t => {
    t.is(make().schemaJson, json)
    t.is(structFromSchema(json).schemaJson, json)
  })

golden(
  'every scalar',
  () => struct({ a: i8, b: u8, c: i16, d: u16, e: i32, f: u32, g: i64, h: u64({ as: 'number' }), i: f32, j: f64, k: bool }),
  '{"byteLength":56,"alignment":8,"fields":[{"name":"a","type":"i8","byteOffset":0},{"name":"b","type":"u8","byteOffset":1},' +
    '{"name":"c","type":"i16","byteOffset":2},{"name":"d","type":"u16","byteOffset":4},{"name":"e","type":"i32","byteOffset":8},' +
    '{"name":"f","type":"u32","byteOffset":12},{"name":"g","type":"i64","byteOffset":16},{"name":"h","type":"u64","byteOffset":24},' +
    '{"name":"i","type":"f32","byteOffset":32},{"name":"j","type":"f64","byteOffset":40},{"name":"k","type":"bool","byteOffset":48}]}',
)
golden(
  'what is made of scalars',
  () => struct({ t: text(16), b: bytes(3), a: array(array(f64, 4), 2), s: struct({ x: u8 }), m: array(struct({ y: i16 }), 5) }),
  '{"byteLength":104,"alignment":8,"fields":[{"name":"t","type":{"text":16},"byteOffset":0},{"name":"b","type":{"bytes":3},"byteOffset":16},' +
    '{"name":"a","type":{"array":{"array":"f64","length":4},"length":2},"byteOffset":24},' +
    '{"name":"s","type":{"struct":{"byteLength":1,"alignment":1,"fields":[{"name":"x","type":"u8","byteOffset":0}]}},"byteOffset":88},' +
    '{"name":"m","type":{"array":{"struct":{"byteLength":2,"alignment":2,"fields":[{"name":"y","type":"i16","byteOffset":0}]}},"length":5},"byteOffset":90}]}',
)
golden(
  'meta, in the order it was given, and only where there is some',
  () => struct({ x: f64, y: f64.with({ unit: 'm', description: '"quoted" \\ \n é 🦀 \u001f' }), z: f64.with({}) }),
  '{"byteLength":24,"alignment":8,"fields":[{"name":"x","type":"f64","byteOffset":0},{"name":"y","type":"f64","byteOffset":8,' +
    '"meta":{"unit":"m","description":"\\"quoted\\" \\\\ \\n é 🦀 \\u001f"}},{"name":"z","type":"f64","byteOffset":16}]}',
)

test('every type takes meta, which changes nothing else', t => {
  const Inner = struct({ x: f64 })
  const types = { a: u8, b: u64, c: u64({ as: 'number' }), d: text(4), e: bytes(4), f: array(u8, 4), g: Inner, h: bool }
  const plain = struct(types)
  const noted = struct(Object.fromEntries(Object.entries(types).map(([name, type]) => [name, type.with({ unit: name })])))
  t.deepEqual(
    noted.fields.map(({ meta }) => meta),
    Object.keys(types).map(unit => ({ unit })),
  )
  t.is(matchSchema(plain, noted), plain)
  t.is(matchSchema(noted, plain), noted)
  t.is(u64.with({ unit: 's' })({ as: 'number' }).meta.unit, 's')
  t.deepEqual(array(f64.with({ unit: 'm' }), 3).meta, { unit: 'm' }, "an element's meta is the array's")
  t.deepEqual(f64.meta, {})
})

for (const meta of [5, null, [], { unit: 5 }, { 0: 'zero' }, { ['__proto__']: 'x' }, { unit: '\ud800' }, { '\udfff': 'x' }]) {
  test(`meta cannot be ${JSON.stringify(meta)}`, t => {
    t.throws(() => f64.with(meta as never), { instanceOf: ArgumentError, code: 'ERR_INVALID_ARGUMENT', message: /^with: / })
  })
}

test('meta is copied', t => {
  const meta = { unit: 'm' }
  const type = f64.with(meta)
  meta.unit = 's'
  t.is(struct({ x: type }).fields[0]?.meta.unit, 'm')
})

test('a schema of more than 1 MiB is refused', t => {
  const type = f64.with({ description: 'x'.repeat(2 ** 20) })
  t.throws(() => struct({ x: type }), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^struct: a schema of \d+ bytes, at most 1048576 are taken$/,
  })
})

type Change = { readonly [key: string]: unknown }

const x = { name: 'x', type: 'f64', byteOffset: 0 }
const y = { name: 'y', type: 'u8', byteOffset: 8 }
const good = { byteLength: 16, alignment: 8, fields: [x, y] }
const withField = (change: Change) => ({ ...good, fields: [x, { ...y, ...change }] })
const inner = { byteLength: 8, alignment: 4, fields: [{ name: 'z', type: 'f32', byteOffset: 0 }] }

function deep(levels: number): unknown {
  let type: unknown = 'u8'
  for (let level = 0; level < levels; level++) type = { array: type, length: 1 }
  return type
}

for (const [schema, message] of [
  [null, /^schema: expected an object, found null$/],
  [[], /^schema: expected an object, found an array of 0$/],
  [{}, /"fields" must be an array/],
  [{ ...good, more: 1 }, /^schema: unknown key "more"$/],
  [{ ...good, proto: 1 }, /unknown key/],
  [{ ...good, fields: {} }, /"fields" must be an array/],
  [{ ...good, fields: [] }, /^schema: 0 fields, 1 to 1024 are taken$/],
  [{ ...good, fields: Array.from({ length: 1025 }, (_, index) => ({ ...x, name: `f${index}` })) }, /^schema: 1025 fields/],
  [{ ...good, fields: [x, null] }, /^schema field 1: expected an object, found null$/],
  [{ ...good, byteLength: 15 }, /^schema: byteLength 15 is no multiple of its alignment 8$/],
  [{ ...good, byteLength: 8 }, /^schema field y: 1 bytes at byteOffset 8, its struct has 8$/],
  [{ ...good, byteLength: 0 }, /^schema: byteLength 0, 1 to 4294967295 is taken$/],
  [{ ...good, byteLength: 2 ** 32 }, /^schema: byteLength 4294967296/],
  [{ ...good, byteLength: -16 }, /"byteLength" must be a whole number, found -16$/],
  [{ ...good, byteLength: 16.5 }, /"byteLength" must be a whole number, found 16.5$/],
  [{ ...good, byteLength: '16' }, /"byteLength" must be a whole number, found "16"$/],
  [{ ...good, byteLength: 1e300 }, /"byteLength" must be a whole number/],
  [{ ...good, alignment: 3 }, /^schema: alignment 3 is no power of two up to 64$/],
  [{ ...good, alignment: 0 }, /^schema: alignment 0 is no power/],
  [{ ...good, alignment: 128, byteLength: 128 }, /^schema: alignment 128 is no power/],
  [{ ...good, alignment: 4 }, /^schema field x: needs alignment 8, its struct has 4$/],
  [withField({ name: 'x' }), /^schema field x: declared twice$/],
  [withField({ name: '__proto__' }), /^schema field 1: a field name is .*, found "__proto__"$/],
  [withField({ name: 'constructor' }), /found "constructor"$/],
  [withField({ name: 'a.b' }), /found "a.b"$/],
  [withField({ name: '' }), /found ""$/],
  [withField({ name: 5 }), /"name" must be a string/],
  [withField({ name: '\u001b[31m' }), /^schema field 1: a field name is .*, found "\\u001b\[31m"$/],
  [withField({ name: '\u001b[31m', type: 'q' }), /^schema field \\u001b\[31m: expected an object, found "q"$/],
  [withField({ byteOffset: 7 }), /^schema field y: byteOffset 7 is inside field x$/],
  [withField({ byteOffset: 16 }), /its struct has 16$/],
  [withField({ byteOffset: -1 }), /"byteOffset" must be a whole number, found -1$/],
  [withField({ byteOffset: null }), /"byteOffset" must be a whole number, found null$/],
  [withField({ byteOffset: 2 ** 53 - 1, type: { bytes: 2 ** 31 - 1 } }), /its struct has 16$/],
  [withField({ type: 'u16', byteOffset: 9 }), /^schema field y: byteOffset 9 is no multiple of its alignment 2$/],
  [withField({ type: 'u128' }), /^schema field y: expected an object, found "u128"$/],
  [withField({ type: 5 }), /expected an object, found 5$/],
  [withField({ type: {} }), /^schema field y: unknown type$/],
  [withField({ type: { text: 4, bytes: 4 } }), /^schema field y: unknown type$/],
  [withField({ type: { text: 0 } }), /^schema field y: length 0, 1 to 2147483647 is taken$/],
  [withField({ type: { text: 9 } }), /9 bytes at byteOffset 8/],
  [withField({ type: { bytes: 1.5 } }), /length 1.5/],
  [withField({ type: { bytes: 2 ** 31 } }), /length 2147483648/],
  [withField({ type: { array: 'u8' } }), /unknown type/],
  [withField({ type: { array: 'u8', length: -1 } }), /length -1/],
  [withField({ type: { array: 'f64', length: 2 ** 31 - 1 } }), /its struct has 16$/],
  [
    withField({ type: { array: { array: { array: { bytes: 2 ** 31 - 1 }, length: 2 ** 31 - 1 }, length: 2 ** 31 - 1 }, length: 2 } }),
    /its struct has 16$/,
  ],
  [withField({ type: { struct: { ...inner, fields: [] } } }), /^schema field y: 0 fields/],
  [withField({ type: { struct: { ...inner, byteLength: 6 } } }), /^schema field y: byteLength 6 is no multiple/],
  [
    withField({ type: { array: { struct: { ...inner, alignment: 2 } }, length: 1 } }),
    /^schema field y\[\]\.z: needs alignment 4, its struct has 2$/,
  ],
  [withField({ type: deep(16) }), /nested 17 deep, at most 16$/],
  [withField({ type: deep(1000) }), /nested 17 deep/],
  [withField({ meta: [] }), /expected an object, found an array of 0$/],
  [withField({ meta: { unit: 5 } }), /^schema field y: every value in "meta" must be a string$/],
  [withField({ extra: 1 }), /^schema field 1: unknown key "extra"$/],
] as const) {
  const json = JSON.stringify(schema)
  test(`hostile schema: ${json.length > 200 ? `${json.slice(0, 60)}… ${message}` : json}`, t => {
    t.throws(() => structFromSchema(json), { instanceOf: SchemaError, code: 'ERR_INVALID_SCHEMA', message })
  })
}

for (const json of ['', '{', 'NaN', '{"byteLength":}', `${'['.repeat(100_000)}`, 5, null, ' '.repeat(2 ** 20 + 1)]) {
  test(`hostile JSON: ${String(json).slice(0, 20)} (${String(json).length})`, t => {
    t.throws(() => structFromSchema(json as string), { instanceOf: SchemaError, code: 'ERR_INVALID_SCHEMA' })
  })
}

test('a schema in another order of keys, with gaps and fields in any order, does', t => {
  const json =
    '{"fields":[{"type":"u8","byteOffset":40,"name":"late"},{"byteOffset":0,"name":"early","type":"f64"}],"alignment":64, "byteLength":64}'
  const type = structFromSchema(json)
  const memory = memoryOf(new ArrayBuffer(64))
  type.encode(memory, 0, { late: 7, early: 0.5 })
  t.is(memory.bytes[40], 7)
  t.deepEqual(type.decode(memory, 0), { late: 7, early: 0.5 })
  t.regex(type.toC('Foreign'), /_Alignas\(64\) double early;/)
  t.is(structFromSchema(JSON.stringify(withField({ type: deep(15) }))).depth, 16)
})

test('a meta key called __proto__ pollutes nothing', t => {
  const type = structFromSchema(
    '{"byteLength":1,"alignment":1,"fields":[{"name":"a","type":"u8","byteOffset":0,"meta":{"__proto__":"x"}}]}',
  )
  t.deepEqual(Object.keys(type.fields[0]?.meta ?? {}), ['__proto__'])
  t.is(({} as Record<string, unknown>).x, undefined)
})

test('fields are found by name, wherever the publisher has them', t => {
  const publisher = struct({ before: u8, b: f64, extra: text(5), a: i32, p: struct({ more: f64, y: f32, x: f32 }), after: u8 })
  const own = struct({ a: i32, p: struct({ x: f32, y: f32 }), b: f64 })
  const matched = matchSchema(own, publisher)
  const memory = memoryOf(new ArrayBuffer(publisher.byteLength))
  publisher.encode(memory, 0, { before: 1, b: 2.5, extra: 'extra', a: -3, p: { more: 9, y: 5, x: 4 }, after: 255 })
  t.deepEqual(matched.decode(memory, 0), { a: -3, p: { x: 4, y: 5 }, b: 2.5 })
  t.deepEqual(Object.keys(matched.decode(memory, 0)), ['a', 'p', 'b'])
  t.is(matched.byteLength, publisher.byteLength)
  const live = matched.live(memory, 0, { check() {}, writable: false })
  t.is(live.p.y, 5)
})

test('elements of an array of structs are as far apart as the publisher has them', t => {
  const publisher = struct({ rows: array(array(struct({ id: u8, more: f64, x: f32 }), 2), 2) })
  const matched = matchSchema(struct({ rows: array(array(struct({ x: f32 }), 2), 2) }), publisher)
  const memory = memoryOf(new ArrayBuffer(publisher.byteLength))
  const row = (x: number) => ({ id: 0, more: 0, x })
  publisher.encode(memory, 0, { rows: [[row(1), row(2)], [row(3), row(4)]] }) // biome-ignore format: a grid
  t.deepEqual(matched.decode(memory, 0), { rows: [[{ x: 1 }, { x: 2 }], [{ x: 3 }, { x: 4 }]] }) // biome-ignore format: a grid
})

test('an equal layout needs no other struct', t => {
  const own = struct({ a: u8, p: struct({ x: f32 }), n: u64({ as: 'number' }) })
  t.is(matchSchema(own, struct({ a: u8.with({ unit: 'm' }), p: struct({ x: f32 }), n: u64 })), own)
  t.is(matchSchema(own, structFromSchema(own.schemaJson)), own)
})

test('the way a consumer looks at integers is its own', t => {
  const matched = matchSchema(struct({ n: u64({ as: 'number' }) }), struct({ first: u8, n: u64 }))
  const memory = memoryOf(new ArrayBuffer(16))
  memory.view.setBigUint64(8, 5n, true)
  t.deepEqual(matched.decode(memory, 0), { n: 5 })
})

for (const [own, publisher, message] of [
  [struct({ a: i32 }), struct({ b: i32 }), 'match schema: field a: expected i32, the publisher has no such field'],
  [struct({ a: i32 }), struct({ a: u32 }), 'match schema: field a: expected i32, found u32'],
  [struct({ a: text(8) }), struct({ a: text(9) }), 'match schema: field a: expected text(8), found text(9)'],
  [struct({ a: text(8) }), struct({ a: bytes(8) }), 'match schema: field a: expected text(8), found bytes(8)'],
  [struct({ a: array(u8, 8) }), struct({ a: bytes(8) }), 'match schema: field a: expected array(u8, 8), found bytes(8)'],
  [struct({ a: array(u8, 8) }), struct({ a: array(u8, 7) }), 'match schema: field a: expected array(u8, 8), found array(u8, 7)'],
  [struct({ a: array(array(u8, 2), 2) }), struct({ a: array(array(i8, 2), 2) }), 'match schema: field a[][]: expected u8, found i8'],
  [struct({ p: struct({ x: f32 }) }), struct({ p: f32 }), 'match schema: field p: expected struct, found f32'],
  [
    struct({ p: struct({ x: f32 }) }),
    struct({ p: struct({ y: f32 }) }),
    'match schema: field p.x: expected f32, the publisher has no such field',
  ],
  [
    struct({ p: array(struct({ x: f32 }), 2) }),
    struct({ p: array(struct({ x: f64 }), 2) }),
    'match schema: field p[].x: expected f32, found f64',
  ],
] as const) {
  test(`mismatch: ${message}`, t => {
    t.throws(() => matchSchema(own as never, publisher as never), { instanceOf: SchemaError, code: 'ERR_SCHEMA_MISMATCH', message })
  })
}

test('toC declares inner structs first and once', t => {
  const Point = struct({ x: f64, y: f64 })
  const Shape = struct({ id: u32, int: i16, from: Point, path: array(array(Point, 3), 2), name: text(16), raw: bytes(4), open: bool })
  t.is(
    Shape.toC('Shape'),
    `#include <stdbool.h>
#include <stdint.h>

struct Shape_from {
  double x;
  double y;
};
_Static_assert(sizeof(struct Shape_from) == 16, "size of struct Shape_from");

struct Shape {
  uint32_t id;
  int16_t int_;
  struct Shape_from from;
  struct Shape_from path[2][3];
  char name[16];
  uint8_t raw[4];
  bool open;
};
_Static_assert(sizeof(struct Shape) == 144, "size of struct Shape");
`,
  )
  for (const name of ['', 'a b', 'int', '1a', 5]) {
    t.throws(() => Shape.toC(name as string), { code: 'ERR_INVALID_ARGUMENT', message: /^toC: / })
    t.throws(() => Shape.toRust(name === 'int' ? 'fn' : (name as string)), { code: 'ERR_INVALID_ARGUMENT', message: /^toRust: / })
  }
})

test('toRust declares inner structs first and once', t => {
  const Point = struct({ x: f64.with({ unit: 'm' }), y: f64 })
  const Shape = struct({ type: u32, from: Point, path: array(array(Point, 3), 2), name: text(16), raw: bytes(4), open: bool })
  t.is(
    Shape.toRust('Shape'),
    `pagecast::record! {
    pub struct ShapeFrom {
        #[meta(unit = "m")]
        pub x: f64,
        pub y: f64,
    }

    pub struct Shape {
        pub r#type: u32,
        pub from: ShapeFrom,
        pub path: [[ShapeFrom; 3]; 2],
        pub name: pagecast::Text<16>,
        pub raw: pagecast::Bytes<4>,
        pub open: bool,
    }
}
`,
  )
})

test('toRust refuses what Rust cannot say', t => {
  const gap = structFromSchema('{"byteLength":8,"alignment":1,"fields":[{"name":"a","type":"u8","byteOffset":3}]}')
  for (const type of [gap, struct({ $a: u8 }), struct({ self: u8 }), struct({ a: u8.with({ 'not a word': 'x' }) })]) {
    t.throws(() => type.toRust('Value'), { code: 'ERR_INVALID_ARGUMENT', message: /^toRust: / })
  }
})

test('other types have no fields to match, but a name', t => {
  t.deepEqual(
    [`${u16}`, `${text(3)}`, `${bytes(3)}`, `${array(array(bool, 2), 3)}`],
    ['u16', 'text(3)', 'bytes(3)', 'array(array(bool, 2), 3)'],
  )
})
