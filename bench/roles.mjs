// The other processes of a bench: each does what its parent's message says and answers with one message.
import { once } from 'node:events'
import { bytes, Consumer, Publisher } from '../index.js'

const BATCH = 64
const SETTLE_MS = 300

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
  async read({ name, byteLength, ms }) {
    const target = new Uint8Array(byteLength)
    const consumer = Consumer.open(name, bytes(byteLength))
    await go()
    const rate = rateOf(() => consumer.readInto(target, PATIENCE), ms)
    consumer.close()
    return rate
  },

  /** Writes a second. */
  async write({ name, byteLength, ms }) {
    const value = new Uint8Array(byteLength)
    const publisher = Publisher.create(name, bytes(byteLength), { init: value, buffers: 1 })
    await go()
    const rate = rateOf(() => publisher.write(value, PATIENCE), ms)
    process.once('disconnect', () => publisher.close()) // not before the others are done
    return rate
  },
}

const PATIENCE = { timeout: 10_000 }

/** Everybody is there before anybody begins. */
async function go() {
  process.send('ready')
  await once(process, 'message')
}

/** Calls a second, after a while in which nothing is counted. */
function rateOf(operation, ms) {
  const settled = performance.now() + SETTLE_MS
  while (performance.now() < settled) operation()
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
  })
}
