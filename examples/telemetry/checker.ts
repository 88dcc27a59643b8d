import { constants, setPriority } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { bytesOf } from 'pagecast'
import { isOpenFor, runConsumer } from './consumer.js'
import { checksumOfBytes, Telemetry } from './telemetry.js'

/** So long it reads before the event loop has its turn. */
const SLICE_MS = 5

/** Reads as fast as it can, and checks every value. */
await runConsumer(async (consumer, tally, stop) => {
  // From now on it takes all the time that nobody else needs, and no other: what is measured beside it is not to be about waiting for a core.
  setPriority(constants.priority.PRIORITY_LOW)
  const value = Telemetry.view() // memory of its own, so that reading allocates nothing
  const bytes = bytesOf(value)
  const readOn = () => {
    const end = performance.now() + SLICE_MS
    while (performance.now() < end) {
      consumer.readInto(value)
      tally.count(value.sequence, value.checksum === checksumOfBytes(bytes))
    }
  }
  while (!stop.aborted && isOpenFor(readOn)) await turn()
  return {}
})
