import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  array,
  bool,
  bytes,
  bytesOf,
  copyInto,
  type FieldType,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  matchSchema,
  memoryOf,
  Struct,
  struct,
  structFromSchema,
  text,
  u8,
  u16,
  u32,
  u64,
} from 'pagecast'

/** The same numbers in every run (mulberry32). */
class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.roll(choices.length)] as T
  }
}

/** A type, values of it as reading gives them, and another form in which the same value may be written. */
interface Sample {
  readonly type: FieldType
  value(dice: Dice): unknown
  other(value: unknown): unknown
}

interface ScalarSample extends Sample {
  readonly typedArray?: { from(values: Iterable<never>): Iterable<unknown> }
}

type TypedArray = NonNullable<ScalarSample['typedArray']>

const itself = (value: unknown) => value

function integer(type: FieldType, typedArray: TypedArray): ScalarSample {
  const bits = type.byteLength * 8
  const least = `${type}`.startsWith('i') ? -(2 ** (bits - 1)) : 0
  return { type, typedArray, value: dice => dice.pick([least, least + 2 ** bits - 1, 0, least + dice.roll(2 ** bits)]), other: itself }
}

function wide(type: FieldType, typedArray: TypedArray): ScalarSample {
  const least = `${type}`.startsWith('i') ? -(2n ** 63n) : 0n
  const value = (dice: Dice) => dice.pick([least, least + 2n ** 64n - 1n, 0n, BigInt(dice.roll(2 ** 32)) * 0x7fffffffn])
  return { type, typedArray, value, other: itself }
}

function safe(type: FieldType, least: number): ScalarSample {
  const value = (dice: Dice) => dice.pick([least, Number.MAX_SAFE_INTEGER, 0, 2 ** 32, 2 ** 32 - 1, dice.roll(2 ** 40)])
  return { type, value, other: itself }
}

const float = (dice: Dice) => dice.pick([0, -0, Number.NaN, Number.POSITIVE_INFINITY, -1.5, 1e-300, Math.PI, dice.roll(1000) / 7])

const scalars: readonly ScalarSample[] = [
  integer(i8, Int8Array),
  integer(u8, Uint8Array),
  integer(i16, Int16Array),
  integer(u16, Uint16Array),
  integer(i32, Int32Array),
  integer(u32, Uint32Array),
  wide(i64, BigInt64Array),
  wide(u64, BigUint64Array),
  safe(i64({ as: 'number' }), Number.MIN_SAFE_INTEGER),
  safe(u64({ as: 'number' }), 0),
  { type: f32, typedArray: Float32Array, value: dice => Math.fround(float(dice)), other: itself },
  { type: f64, typedArray: Float64Array, value: float, other: itself },
  { type: bool, value: dice => dice.roll(2) === 1, other: itself },
]

const times = <T>(count: number, make: (index: number) => T) => Array.from({ length: count }, (_, index) => make(index))

function textSample(dice: Dice): Sample {
  const byteLength = 8 + dice.roll(40)
  const value = (dice: Dice) =>
    dice.pick(['', 'ascii', 'Grüße', '🦀', '\ufeffmark', 'x'.repeat(byteLength), `${'x'.repeat(byteLength - 2)}é`])
  return { type: text(byteLength), value, other: itself }
}

function bytesSample(dice: Dice): Sample {
  const byteLength = 1 + dice.roll(20)
  const value = (dice: Dice) => Uint8Array.from(times(byteLength, () => dice.roll(256)))
  return { type: bytes(byteLength), value, other: value => Buffer.from(value as Uint8Array) }
}

function typedArraySample(dice: Dice): Sample {
  const element = dice.pick(scalars.filter(({ typedArray }) => typedArray !== undefined))
  const length = 1 + dice.roll(20)
  const value = (dice: Dice) => element.typedArray?.from(times(length, () => element.value(dice) as never))
  return { type: array(element.type, length), value, other: value => Array.from(value as Iterable<unknown>) }
}

function plainArraySample(dice: Dice, depth: number): Sample {
  const element = dice.roll(3) === 0 ? (scalars.at(-1) as Sample) : compound(dice, depth - 1)
  const length = 1 + dice.roll(3)
  return {
    type: array(element.type, length),
    value: dice => times(length, () => element.value(dice)),
    other: value => (value as unknown[]).map(element.other),
  }
}

const NAMES = ['a', '_b', '$c', 'toString', 'default', 'int', 'valueOf', 'length', 'x1', 'toJSON', 'name', 'self']

function structSample(dice: Dice, depth: number): Sample & { readonly type: Struct } {
  const count = 1 + dice.roll(dice.pick([4, 9, 12]))
  const names = times(count, index => (dice.roll(3) === 0 ? (NAMES[index] as string) : `field${index}`))
  const fields = names.map(name => [name, dice.roll(3) === 0 ? compound(dice, depth) : dice.pick(scalars)] as const)
  const map = (make: (sample: Sample, name: string) => unknown) =>
    Object.fromEntries(fields.map(([name, sample]) => [name, make(sample, name)]))
  return {
    type: struct(map(({ type }) => type) as Record<string, FieldType>),
    value: dice => map(sample => sample.value(dice)),
    other: value => map((sample, name) => sample.other((value as Record<string, unknown>)[name])),
  }
}

function compound(dice: Dice, depth: number): Sample {
  const flat = [textSample, bytesSample, typedArraySample]
  return dice.pick(depth === 0 ? flat : [...flat, plainArraySample, structSample])(dice, depth)
}

const samples = times(160, index => structSample(new Dice(index + 1), 3))

test('values come back as they were written, whatever memory they go through', t => {
  samples.forEach(({ type, value, other }, index) => {
    const dice = new Dice(index)
    for (const buffer of [new ArrayBuffer(type.byteLength + 64), new SharedArrayBuffer(type.byteLength + 64)]) {
      const memory = memoryOf(buffer)
      const written = value(dice) as never
      type.encode(memory, 64, written)
      t.deepEqual(type.decode(memory, 64), written)
      t.deepEqual(memory.bytes.subarray(0, 64), new Uint8Array(64), 'nothing is written outside')
      const again = value(dice) as never
      type.encode(memory, 64, other(again) as never)
      t.deepEqual(type.decode(memory, 64), again)
      t.deepEqual(JSON.stringify(Object.keys(type.decode(memory, 64))), JSON.stringify(type.fields.map(({ name }) => name)))
    }
  })
})

test('values come back the same when a struct is used a lot', t => {
  samples.forEach(({ type, value }, index) => {
    const memory = memoryOf(new ArrayBuffer(type.byteLength))
    const written = times(5, turn => value(new Dice(index * 5 + turn)) as never)
    for (let turn = 0; turn < 300; turn++) {
      type.encode(memory, 0, written[turn % 5] as never)
      type.decode(memory, 0)
    }
    for (const one of written) {
      type.encode(memory, 0, one)
      t.deepEqual(type.decode(memory, 0), one)
      t.is(Object.getPrototypeOf(type.decode(memory, 0)), Object.prototype)
    }
  })
})

test('a live view shows and takes what is written', t => {
  samples.forEach(({ type, value, other }, index) => {
    const dice = new Dice(index)
    const written = value(dice) as Record<string, unknown>
    const [view, second] = [type.view(), type.view()]
    for (const [name, field] of Object.entries(other(written) as object)) view[name] = field
    const memory = memoryOf(new ArrayBuffer(type.byteLength))
    type.encode(memory, 0, view as never)
    t.deepEqual(type.decode(memory, 0), written, 'a view is a value')
    copyInto(second, type, memory, 0)
    t.deepEqual(bytesOf(second), memory.bytes)
  })
})

test('a schema survives its JSON', t => {
  for (const { type } of samples) {
    const read = structFromSchema(type.schemaJson)
    t.is(read.schemaJson, type.schemaJson)
    t.is(matchSchema(type, read), type)
  }
})

const compiler = process.env.CC ?? 'cc'
const hasCompiler = spawnSync(compiler, ['--version']).status === 0
const withCompiler = hasCompiler ? test : test.skip

/** Every place in a struct, as C writes it and as we see it. */
function places(type: FieldType, path: string, byteOffset: number): [string, number][] {
  if (type instanceof Struct) {
    return type.fields.flatMap(field => places(field.type, `${path}.${inC(field.name)}`, byteOffset + field.byteOffset))
  }
  if (!('element' in type)) return [[path, byteOffset]]
  const { element, length } = type as { element: FieldType; length: number } & FieldType
  return times(length, index => places(element, `${path}[${index}]`, byteOffset + index * element.byteLength)).flat()
}

const inC = (name: string) => (['default', 'int'].includes(name) ? `${name}_` : name)

function layoutsInC(types: readonly Struct[]): string {
  const lines = types.flatMap((type, index) => {
    const name = `struct S${index}`
    const offsets = places(type, '', 0).map(([path]) => `  printf("%zu\\n", offsetof(${name}, ${path.slice(1)}));`)
    return [`  printf("%zu\\n%zu\\n", sizeof(${name}), _Alignof(${name}));`, ...offsets]
  })
  const declarations = types.map((type, index) => type.toC(`S${index}`)).join('\n')
  return `#include <stddef.h>\n#include <stdio.h>\n${declarations}\nint main(void) {\n${lines.join('\n')}\n  return 0;\n}\n`
}

function run(source: string): number[] {
  const directory = mkdtempSync(join(tmpdir(), 'pagecast-c-'))
  try {
    writeFileSync(join(directory, 'layout.c'), source)
    const options = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-O0', 'layout.c', '-o', 'layout']
    const { status, stderr } = spawnSync(compiler, options, { cwd: directory, encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return spawnSync(join(directory, 'layout'), { encoding: 'utf8' }).stdout.trim().split('\n').map(Number)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const field = (name: string, type: unknown, byteOffset: number) => ({ name, type, byteOffset })
const foreign = [
  { byteLength: 128, alignment: 64, fields: [field('b', 'f64', 64), field('a', 'u8', 3), field('_padding', 'u16', 100)] },
  { byteLength: 24, alignment: 4, fields: [field('t', { text: 3 }, 0), field('n', 'i32', 16)] },
].map(schema => structFromSchema(JSON.stringify(schema)))

withCompiler('a C compiler puts every field of toC where we do', t => {
  const types = [...samples.map(({ type }) => type), ...foreign]
  const expected = types.flatMap(type => [type.byteLength, type.alignment, ...places(type, '', 0).map(([, byteOffset]) => byteOffset)])
  t.true(expected.length > 2000, `${expected.length}`)
  t.deepEqual(run(layoutsInC(types)), expected)
})
