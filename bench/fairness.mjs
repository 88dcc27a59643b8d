// One buffer, a publisher that writes flat out, and four readers in processes of their own: who gets how much of what it gets alone.
import { availableParallelism } from 'node:os'
import { play } from './play.mjs'
import { bytesScene } from './scene.mjs'

const READERS = 4
const LONG_MS = 3000

export const fairness = [64, 65_536].map(
  byteLength =>
    ({ share }) =>
      contest(byteLength, Math.max(400, LONG_MS * share)),
)

async function contest(byteLength, ms) {
  const task = { name: `bench-${process.pid}-fairness`, byteLength, ms }
  const still = bytesScene(byteLength, { buffers: 1, consumers: 1 })
  const [readerAlone] = await together([play('read', { ...task, name: still.name })])
  still.close()
  const [publisherAlone] = await together([play('write', task)])
  const first = play('write', task)
  await first.ready // the readers find its segment
  const [publisher, ...readers] = await together([first, ...Array.from({ length: READERS }, () => play('read', task))])
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

async function together(players) {
  await Promise.all(players.map(({ ready }) => ready))
  for (const { go } of players) go()
  const rates = await Promise.all(players.map(({ answer }) => answer))
  for (const { end } of players) end()
  return rates
}

function percent(rate, alone) {
  return Math.round((1000 * rate) / alone) / 10
}
