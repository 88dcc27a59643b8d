import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { array, bytes, Consumer, f32, f64, i32, Publisher, struct, text } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

scene('a missing segment says so', (t, { directory }) => {
  t.throws(() => Consumer.open('nothing', Pose, { directory }), { code: 'ERR_NOT_FOUND', message: /nothing/ })
  t.throws(() => Consumer.openDynamic('nothing', { directory }), { code: 'ERR_NOT_FOUND' })
  t.throws(() => Consumer.open('pose', Pose, { directory: join(directory, 'none') }), { code: 'ERR_NOT_FOUND' })
  t.throws(() => Publisher.create('pose', Pose, { directory: join(directory, 'none') }), { code: 'ERR_NOT_FOUND' })
})

scene('what is no segment is refused and left alone', (t, scene) => {
  const { directory } = scene
  writeFileSync(join(directory, 'short'), 'short')
  writeFileSync(join(directory, 'long'), Buffer.alloc(65_536, 7))
  for (const name of ['short', 'long']) {
    t.throws(() => Consumer.open(name, Pose, { directory }), { code: 'ERR_NOT_A_SEGMENT' })
    t.throws(() => Publisher.create(name, Pose, { directory }), { code: 'ERR_NOT_A_SEGMENT' })
    scene.remove(name)
  }
})

scene('a second publisher is refused while the first one lives', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  const lives = { code: 'ERR_PUBLISHER_EXISTS' }
  for (const ifDead of ['adopt', 'replace', 'fail'] as const) t.throws(() => Publisher.create('pose', Pose, { directory, ifDead }), lives)
  t.throws(() => Publisher.create('pose', bytes(8), { directory, init: new Uint8Array(8) }), lives)
  publisher.write(pose(2))
  using consumer = Consumer.open('pose', Pose, { directory })
  t.deepEqual(consumer.read(), pose(2))
  t.is(consumer.epoch, 1)
})

scene('the default mode is 0600, another one is exact', (t, { directory }) => {
  using _ = Publisher.create('default', Pose, { directory })
  using __ = Publisher.create('shared', Pose, { directory, mode: 0o666 })
  t.is(statSync(join(directory, 'default')).mode & 0o777, 0o600)
  t.is(statSync(join(directory, 'shared')).mode & 0o777, 0o666)
})

scene('a consumer matches fields by name and type, at the offsets of the publisher', (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(6) })
  using consumer = Consumer.open('pose', struct({ name: text(16), field2: f64 }), { directory })
  t.deepEqual(consumer.read(), { name: 'pose 6', field2: 3 })
  using lock = consumer.readLock()
  t.is(lock.value.field2, 3)
  t.is(lock.value.name, 'pose 6')
})

const mismatches = {
  'a missing field': [struct({ field1: i32, speed: f64 }), /speed/],
  'another type': [struct({ field1: f64 }), /field1.*f64.*i32|field1.*i32.*f64/],
  'another length of text': [struct({ name: text(8) }), /name/],
  'another length of an array': [struct({ trail: array(f64, 9) }), /trail/],
  'another element': [struct({ trail: array(f32, 8) }), /trail/],
} as const

for (const [what, [Other, message]] of Object.entries(mismatches)) {
  scene(`${what} is a schema mismatch that names the field`, (t, { directory }) => {
    using _ = Publisher.create('pose', Pose, { directory, init: pose(1), maxConsumers: 1 })
    t.throws(() => Consumer.open('pose', Other as never, { directory }), { code: 'ERR_SCHEMA_MISMATCH', message })
    using consumer = Consumer.open('pose', Pose, { directory }) // the slot is free again
    t.deepEqual(consumer.read(), pose(1))
  })
}

scene('a struct does not match bytes', (t, { directory }) => {
  using _ = Publisher.create('blob', bytes(128), { directory, init: new Uint8Array(128) })
  t.throws(() => Consumer.open('blob', Pose, { directory }), { code: 'ERR_SCHEMA_MISMATCH' })
})

scene('exact asks for the same schema', (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory, exact: true })
  t.deepEqual(consumer.read(), pose(1))
  const Part = struct({ field1: i32 })
  t.throws(() => Consumer.open('pose', Part, { directory, exact: true }), { code: 'ERR_SCHEMA_MISMATCH' })
})

scene('openDynamic takes the type from the segment', (t, { directory }) => {
  const Nested = struct({ id: i32, poses: array(Pose, 2) })
  using _ = Publisher.create('nested', Nested, { directory, init: { id: 7, poses: [pose(1), pose(2)] } })
  using consumer = Consumer.openDynamic('nested', { directory })
  t.deepEqual(consumer.read(), { id: 7, poses: [pose(1), pose(2)] })
  t.is(consumer.schema?.schemaJson, Nested.schemaJson)
  using lock = consumer.readLock()
  t.is(lock.bytes.byteLength, Nested.byteLength)
})

scene('no more consumers than there are slots, and slots are reused', (t, { directory }) => {
  using _ = Publisher.create('pose', Pose, { directory, init: pose(1), maxConsumers: 2 })
  using one = Consumer.open('pose', Pose, { directory })
  const two = Consumer.open('pose', Pose, { directory })
  t.throws(() => Consumer.open('pose', Pose, { directory }), { code: 'ERR_TOO_MANY_CONSUMERS', message: /2/ })
  t.deepEqual(one.read(), pose(1))
  two[Symbol.dispose]()
  using three = Consumer.open('pose', Pose, { directory })
  t.deepEqual(three.read(), pose(1))
})

scene('many publications at once', (t, { directory }) => {
  const publishers = Array.from({ length: 50 }, (_, number) => Publisher.create(`pose-${number}`, Pose, { directory, init: pose(number) }))
  const consumers = publishers.map((_, number) => Consumer.open(`pose-${number}`, Pose, { directory }))
  for (const [number, consumer] of consumers.entries()) t.deepEqual(consumer.read(), pose(number))
  for (const one of [...consumers, ...publishers]) one[Symbol.dispose]()
})
