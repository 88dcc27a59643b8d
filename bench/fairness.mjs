// One buffer, a publisher that writes flat out, and four readers in processes of their own: who gets how much of what it gets alone.
import { availableParallelism } from 'node:os'
import { play } from './play.mjs'
import { bytesScene } from './scene.mjs'

const READERS = 4
const LONG_MS = 3000
const SETTLE_MS = 700

export async function fairness({ share }) {
  const ms = Math.max(400, LONG_MS * share)
  const rows = []
  for (const byteLength of [64, 65_536]) rows.push(await contest(byteLength, ms))
  return rows
}

async function contest(byteLength, ms) {
  const task = () => ({ byteLength, ms, startMs: Date.now() + SETTLE_MS })
  const name = `bench-${process.pid}-fairness`
  const still = bytesScene(byteLength, { buffers: 1, consumers: 1 })
  const readerAlone = await play('read', { name: still.name, ...task() }).answer
  still.close()
  const publisherAlone = await play('write', { name, ...task() }).answer
  const { publisher, readers } = await together(`${name}-all`, task())
  const shares = readers.map(rate => percent(rate, readerAlone))
  return {
    bench: 'fairness',
    bytes: byteLength,
    buffers: 1,
    consumers: READERS,
    processors: availableParallelism(),
    readerSharesPercent: shares,
    publisherSharePercent: percent(publisher, publisherAlone),
    readsAlone: Math.round(readerAlone),
    writesAlone: Math.round(publisherAlone),
  }
}

async function together(name, task) {
  const publisher = play('write', { name, ...task })
  await publisher.ready
  const readers = Array.from({ length: READERS }, () => play('read', { name, ...task }).answer)
  return { publisher: await publisher.answer, readers: await Promise.all(readers) }
}

function percent(rate, alone) {
  return Math.round((1000 * rate) / alone) / 10
}
