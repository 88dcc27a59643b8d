import { bytes, Consumer, Publisher } from 'pagecast'
import { scene } from './helpers/scene.js'

const filled = (length: number) => new Uint8Array(length).fill(length % 251)

for (const buffers of [1, 3]) {
  scene(`bytes of any length up to the limit, ${buffers} buffers`, (t, { directory }) => {
    using publisher = Publisher.create('blob', bytes(4096), { directory, buffers })
    using consumer = Consumer.open('blob', bytes(4096), { directory })
    for (const length of [1, 4096, 0, 17, 1000, 3]) {
      publisher.write(filled(length))
      t.deepEqual(consumer.read(), filled(length))
      using lock = consumer.readLock()
      t.deepEqual(new Uint8Array(lock.bytes), filled(length))
      t.is(lock.value.byteLength, length)
    }
  })
}

scene('a Buffer and a part of a larger array can be written', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(64), { directory, init: Buffer.from('first') })
  using consumer = Consumer.open('blob', bytes(64), { directory })
  t.deepEqual(Buffer.from(consumer.read()).toString(), 'first')
  publisher.write(filled(64).subarray(8, 16))
  t.deepEqual(consumer.read(), filled(64).slice(8, 16))
})

scene('what is no Uint8Array or too long is refused before anything is written', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(16), { directory, init: filled(5), buffers: 1 })
  using consumer = Consumer.open('blob', bytes(16), { directory })
  t.throws(() => publisher.write(filled(17)), { message: /17.*16/ })
  t.throws(() => publisher.write('text' as never))
  t.throws(() => publisher.write(new Float64Array(1) as never))
  t.throws(() => publisher.write(undefined as never))
  t.deepEqual(consumer.read(), filled(5))
  t.is(consumer.totalWrites, 1)
})

scene('a write lock on bytes publishes as many as it is told', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(64), { directory, init: filled(10) })
  using consumer = Consumer.open('blob', bytes(64), { directory })
  {
    using lock = publisher.writeLock()
    t.is(lock.bytes.byteLength, 64)
    t.is(lock.byteLength, 10)
    t.deepEqual(new Uint8Array(lock.bytes.subarray(0, 10)), filled(10))
    lock.bytes.set([1, 2, 3])
    lock.byteLength = 3
    t.throws(
      () => {
        lock.byteLength = 65
      },
      { code: 'ERR_INVALID_ARGUMENT' },
    )
  }
  t.deepEqual(consumer.read(), Uint8Array.of(1, 2, 3))
})

scene('readInto fills the beginning of the target and returns the length', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(64), { directory, init: filled(10) })
  using consumer = Consumer.open('blob', bytes(64), { directory })
  const target = new Uint8Array(20).fill(255)
  t.is(consumer.readInto(target), 10)
  t.deepEqual(target.subarray(0, 10), filled(10))
  t.true(target.subarray(10).every(byte => byte === 255))
  publisher.write(filled(21))
  const error = t.throws(() => consumer.readInto(target))
  t.regex(error.message, /21/)
  t.regex(error.message, /20/)
  t.deepEqual(consumer.read(), filled(21)) // nothing is held any more
})

scene('a consumer of bytes must have room for what the publisher may send', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(64), { directory, init: filled(64) })
  t.throws(() => Consumer.open('blob', bytes(63), { directory }), { code: 'ERR_SCHEMA_MISMATCH', message: /64.*63/ })
  t.throws(() => Consumer.open('blob', bytes(65), { directory, exact: true }), { code: 'ERR_SCHEMA_MISMATCH' })
  using larger = Consumer.open('blob', bytes(65), { directory })
  t.deepEqual(larger.read(), filled(64))
  using dynamic = Consumer.openDynamic('blob', { directory })
  publisher.write(filled(3))
  t.deepEqual(dynamic.read(), filled(3))
})

scene('withWrite and withRead hand out the lock too', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(64), { directory })
  using consumer = Consumer.open('blob', bytes(64), { directory })
  publisher.withWrite((value, lock) => {
    value.set([1, 2, 3])
    lock.byteLength = 3
  })
  t.deepEqual(
    consumer.withRead((value, lock) => [...value, lock.version]),
    [1, 2, 3, 1],
  )
})
