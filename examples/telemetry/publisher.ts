import { setTimeout as sleep } from 'node:timers/promises'
import { Publisher } from 'pagecast'
import { runChild } from './child.js'
import { Sampler } from './sampler.js'
import { PERIOD_MS, Telemetry } from './telemetry.js'

const [name] = process.argv.slice(2)

await runChild(async stop => {
  const sampler = new Sampler()
  using publisher = Publisher.create(name, Telemetry, { init: sampler.sample(1) })
  let publications = 1
  let skipped = 0
  for await (const late of deadlines(PERIOD_MS, stop)) {
    publications++
    skipped += late
    publisher.write(sampler.sample(publications))
  }
  return { publications, skipped }
})

/**
 * Every multiple of the period from now on, so that lateness does not add up. Those it is too late for are skipped; the
 * number of them is what comes out.
 */
async function* deadlines(periodMs: number, stop: AbortSignal): AsyncGenerator<number> {
  const start = performance.now()
  for (let next = 1; ; next++) {
    const late = Math.max(0, Math.floor((performance.now() - start) / periodMs) - next)
    next += late
    await sleep(start + next * periodMs - performance.now())
    if (stop.aborted) return
    yield late
  }
}
