import { setTimeout as sleep } from 'node:timers/promises'
import { isOpenFor, runConsumer } from './consumer.js'
import { displayFor } from './display.js'
import { PERIOD_MS } from './telemetry.js'

const isVisible = process.argv.includes('--visible')

/** Has a rhythm of its own, and at each beat takes what is new, if anything. Shows it where there is somebody to see it. */
await runConsumer(async (consumer, tally, stop) => {
  using display = isVisible ? displayFor(consumer, tally) : undefined
  const look = () => {
    const value = consumer.readChange()
    tally.take(value)
    if (value !== undefined) display?.take(value)
  }
  while (!stop.aborted && isOpenFor(look)) await sleep(PERIOD_MS - 1)
  return {}
})
