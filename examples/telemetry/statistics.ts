import { changesUntil, runConsumer } from './consumer.js'
import { Distribution } from './distribution.js'
import type { Network, Telemetry } from './telemetry.js'

/** What statistics are kept of. */
const fields: Record<string, (value: Telemetry) => number> = {
  'cpu %': ({ cpu }) => cpu.busy,
  'memory B': ({ memory }) => memory.total - memory.available,
  'load 1 min': ({ load }) => load[0],
  'tasks running': ({ tasks }) => tasks.running,
  'switches /s': ({ switches }) => switches,
  'disk read B/s': ({ disks }) => sum(disks.map(({ reading }) => reading)),
  'disk written B/s': ({ disks }) => sum(disks.map(({ writing }) => writing)),
  'network received B/s': ({ networks }) => sum(networks.filter(isOutside).map(({ receiving }) => receiving)),
  'network sent B/s': ({ networks }) => sum(networks.filter(isOutside).map(({ sending }) => sending)),
}

/** Keeps running statistics of all that is published. */
await runConsumer(async (consumer, tally, stop) => {
  const kept = Object.entries(fields).map(([name, of]) => ({ name, of, numbers: new Distribution() }))
  for await (const { value } of changesUntil(stop, consumer)) {
    tally.take(value)
    for (const { of, numbers } of kept) numbers.add(of(value))
  }
  return { fields: Object.fromEntries(kept.map(({ name, numbers }) => [name, numbers.summary()])) }
})

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function isOutside({ name }: Network): boolean {
  return name !== 'lo'
}
