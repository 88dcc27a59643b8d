import { type Change, Consumer } from 'pagecast'
import { runChild } from './child.js'
import { hasCode } from './has-code.js'
import { Tally } from './tally.js'
import { Telemetry } from './telemetry.js'

export type TelemetryConsumer = Consumer<typeof Telemetry>

/** What a consumer process does until the publication is closed or `stop` says so. What it gives is added to the report. */
export type Work = (consumer: TelemetryConsumer, tally: Tally, stop: AbortSignal) => Promise<object>

/** The life of a consumer process. It may begin before there is a publication. */
export function runConsumer(work: Work): Promise<void> {
  const [name] = process.argv.slice(2)
  return runChild(async (stop, begun) => {
    using consumer = await Consumer.waitAndOpen(name, Telemetry, { signal: stop, exact: true })
    begun()
    const tally = new Tally()
    const more = await work(consumer, tally, stop)
    return { ...tally.report(), ...more }
  })
}

/** Each new value, until the publication is closed or `stop` says so. */
export async function* changesUntil(stop: AbortSignal, consumer: TelemetryConsumer): AsyncGenerator<Change<Telemetry>> {
  try {
    yield* consumer.changes({ signal: stop, withMeta: true })
  } catch (error) {
    if (!hasCode(error, 'ERR_ABORTED')) throw error
  }
}

/** Whether the publication was still open for `read`. */
export function isOpenFor(read: () => void): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (hasCode(error, 'ERR_CLOSED')) return false
    throw error
  }
}
