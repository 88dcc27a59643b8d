import test from 'ava'
import {
  array,
  bool,
  bytes,
  f64,
  type Infer,
  type InferInput,
  type InferLive,
  type InferReadonlyLive,
  i32,
  i64,
  type LiveArray,
  type ReadonlyLiveArray,
  type ReadonlyTypedArray,
  type Struct,
  struct,
  structFromSchema,
  text,
  u8,
  u64,
} from 'pagecast'

// What is asserted here is asserted by the compiler: a type that differs does not build.

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <_ extends true>(): void => {}

const Pose = struct({
  id: i32,
  time: u64,
  safe: i64({ as: 'number' }),
  valid: bool,
  name: text(8),
  raw: bytes(4),
  trail: array(f64.with({ unit: 'm' }), 3),
  stamps: array(u64, 2),
  flags: array(bool, 2),
  names: array(text(4), 2),
  grid: array(array(u8, 2), 2),
  point: struct({ x: f64 }),
  points: array(struct({ x: f64 }), 2),
})
type Pose = typeof Pose

interface Value {
  id: number
  time: bigint
  safe: number
  valid: boolean
  name: string
  raw: Uint8Array<ArrayBuffer>
  trail: Float64Array<ArrayBuffer>
  stamps: BigUint64Array<ArrayBuffer>
  flags: boolean[]
  names: string[]
  grid: Uint8Array<ArrayBuffer>[]
  point: { x: number }
  points: { x: number }[]
}

type Plain<T> = { [Name in keyof T]: T[Name] }

test('what is read', t => {
  same<Equal<Plain<Infer<Pose>>, Plain<Value>>>()
  same<Equal<Infer<typeof i32>, number>>()
  same<Equal<Infer<ReturnType<typeof bytes>>, Uint8Array<ArrayBuffer>>>()
  t.pass()
})

test('what may be written', t => {
  type Input = InferInput<Pose>
  const input = (value: Input) => value
  const fromPlain = (value: Value): Input => value
  const fromLive = (value: InferLive<Pose>): Input => value
  const fromReadonly = (value: InferReadonlyLive<Pose>): Input => value
  t.truthy([input, fromPlain, fromLive, fromReadonly])
  const { id } = {} as Input
  // @ts-expect-error: an input is not for writing to
  ;(({}) as Input).id = id
  // @ts-expect-error: a bigint field takes no number
  const wrong: InferInput<typeof u64> = 5
  t.is(wrong, 5 as never)
})

test('what is seen in place', t => {
  type Live = InferLive<Pose>
  same<Equal<Live['trail'], Float64Array>>()
  same<Equal<Live['raw'], Uint8Array>>()
  same<Equal<Live['stamps'], BigUint64Array>>()
  same<Equal<Live['flags'], LiveArray<boolean, boolean>>>()
  same<Equal<Live['point'], { x: number }>>()
  same<Equal<Live['points'], LiveArray<{ x: number }, { readonly x: number }>>>()
  const view: Live = Pose.view()
  view.id = 5
  view.point = { x: 1 }
  // @ts-expect-error: a number is no bigint
  t.throws(() => (view.time = 5))
  // @ts-expect-error: no such field
  t.is(view.nothing, undefined)
})

test('what is seen in place by a reader', t => {
  type Live = InferReadonlyLive<Pose>
  same<Equal<Live['trail'], ReadonlyTypedArray<Float64Array>>>()
  same<Equal<Live['flags'], ReadonlyLiveArray<boolean>>>()
  const view: Live = Pose.view()
  const writes = () => {
    // @ts-expect-error: not for writing
    view.id = 5
    // @ts-expect-error: not for writing
    view.trail[0] = 5
    // @ts-expect-error: not for writing
    view.trail.fill(0)
    // @ts-expect-error: not for writing
    view.points.set(0, { x: 1 })
    // @ts-expect-error: not for writing
    view.point.x = 5
  }
  t.is(typeof writes, 'function')
  const first: number | undefined = view.trail[0]
  const sum: number = view.trail.reduce((total, each) => total + each, 0)
  t.deepEqual([first, sum, [...view.trail]], [0, 0, [0, 0, 0]])
})

test('structs of any fields are structs', t => {
  const types: Struct[] = [Pose, structFromSchema(Pose.schemaJson)]
  same<Equal<Infer<Struct>, { [x: string]: unknown }>>()
  t.is(types.length, 2)
  // @ts-expect-error: fields have types of ours
  t.throws(() => struct({ a: 'f64' }))
})
