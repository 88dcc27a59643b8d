import test from 'ava'
import { type FieldType, f64, i32, memoryOf, type Struct, struct, structFromSchema, text, u64 } from 'pagecast'

// A struct that is used a lot is read and written by code that grows with its fields and is not there for everyone: nobody may notice.

const TYPES: readonly FieldType[] = [i32, f64, text(4), u64({ as: 'number' })]
const VALUES = [-5, 0.5, 'é', 2 ** 40]

function wideStruct(fields: number): { type: Struct; value: Record<string, unknown> } {
  const names = Array.from({ length: fields }, (_, index) => `field${index}`)
  const pick = <T>(choices: readonly T[]) => Object.fromEntries(names.map((name, index) => [name, choices[index % 4] as T]))
  return { type: struct(pick(TYPES)), value: pick<unknown>(VALUES) }
}

for (const fields of [24, 1, 7, 8, 9, 16, 17, 25, 100]) {
  test.serial(`${fields} fields, used a lot`, t => {
    const { type, value } = wideStruct(fields)
    const memory = memoryOf(new ArrayBuffer(type.byteLength))
    for (let turn = 0; turn < 500; turn++) {
      memory.bytes.fill(0)
      type.encode(memory, 0, value)
      const read = type.decode(memory, 0)
      if (turn % 100 === 99) t.deepEqual(read, value)
    }
    const last = `field${fields - 1}`
    t.throws(() => type.check({ ...value, [last]: null }), { code: 'ERR_VALUE_RANGE', message: new RegExp(`^field ${last}: `) })
    t.throws(() => type.check({ ...value, field0: undefined }), { code: 'ERR_MISSING_FIELD', message: /^field field0: / })
    t.throws(() => type.check({ ...value, more: 1 }), { code: 'ERR_UNKNOWN_FIELD', message: /^field more: / })
  })
}

test.serial('equal structs that are made again and again, and ones that differ in one respect', t => {
  for (let turn = 0; turn < 12; turn++) {
    const types = [struct({ a: u64, b: i32 }), struct({ a: u64({ as: 'number' }), b: i32 }), struct({ b: i32, a: u64 })]
    const read = types.map(type => {
      const memory = memoryOf(new ArrayBuffer(16))
      type.encodePartial(memory, 0, { b: 7 })
      for (let use = 0; use < 250; use++) type.decode(memory, 0)
      return Object.entries(type.decode(memory, 0))
    })
    const [a, b] = [['a', 0n], ['b', 7]] // biome-ignore format: a row each
    t.deepEqual(read, [[a, b], [['a', 0], b], [b, a]]) // biome-ignore format: a row each
  }
})

test.serial('a struct from a schema shares with the struct it describes', t => {
  const own = struct({ x: f64, y: f64 })
  const read = structFromSchema(own.schemaJson)
  const memory = memoryOf(new ArrayBuffer(16))
  for (let use = 0; use < 250; use++) {
    own.encode(memory, 0, { x: use, y: 1 })
    t.deepEqual(read.decode(memory, 0), { x: use, y: 1 })
  }
})
