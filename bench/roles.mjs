// The other processes of a bench: each does what its parent's message says and answers with one message.
import { bytes, Consumer, Publisher } from '../index.js'

const BATCH = 64

const roles = {
  /** How old each value was when an awaiting consumer had it, in microseconds. */
  async await({ name, byteLength, count }) {
    const ages = []
    const consumer = Consumer.open(name, bytes(byteLength))
    process.send('ready')
    for await (const value of consumer.changes()) {
      const age = microseconds() - new DataView(value.buffer, value.byteOffset).getFloat64(0, true)
      if (ages.push(age) > count) break
    }
    consumer.close()
    return ages.slice(1) // the first was there before
  },

  /** Reads a second. */
  read({ name, byteLength, startMs, ms }) {
    const target = new Uint8Array(byteLength)
    const consumer = Consumer.open(name, bytes(byteLength))
    const rate = rateOf(() => consumer.readInto(target, { timeout: 10_000 }), startMs, ms)
    consumer.close()
    return rate
  },

  /** Writes a second. */
  write({ name, byteLength, startMs, ms }) {
    const value = new Uint8Array(byteLength)
    const publisher = Publisher.create(name, bytes(byteLength), { init: value, buffers: 1 })
    process.send('ready')
    const rate = rateOf(() => publisher.write(value, { timeout: 10_000 }), startMs, ms)
    setTimeout(() => publisher.close(), 1000) // not before the others are done
    return rate
  },
}

/** Everybody starts at the same time, and has run a while before it counts. */
function rateOf(operation, startMs, ms) {
  while (Date.now() < startMs) operation()
  const start = performance.now()
  let count = 0
  do {
    for (let turn = 0; turn < BATCH; turn++) operation()
    count += BATCH
  } while (performance.now() - start < ms)
  return (count / (performance.now() - start)) * 1e3
}

export function microseconds() {
  return Number(process.hrtime.bigint()) / 1e3
}

if (process.argv[1] === import.meta.filename) {
  process.once('message', async ({ role, ...task }) => {
    process.send({ answer: await roles[role](task) })
    process.disconnect()
  })
}
