import { changesUntil, runConsumer } from './consumer.js'
import { Distribution } from './distribution.js'

/** Sleeps until there is something new, and measures how long after its publication it is awake. */
await runConsumer(async (consumer, tally, stop) => {
  const latencies = new Distribution()
  for await (const { value, stalenessMs } of changesUntil(stop, consumer)) {
    if (tally.changes > 0) latencies.add(stalenessMs * 1000) // nobody had to wake up for the first one
    tally.take(value)
  }
  const { p50, p99, max } = latencies.summary()
  return { wakeP50Us: p50, wakeP99Us: p99, wakeMaxUs: max }
})
