import type { Options } from './arguments.js'
import { type Child, END_SIGNALS, type Ending } from './child-process.js'
import { startConsumers, startPublisher } from './processes.js'

/** What became of the processes. */
export interface Run {
  readonly seconds: number
  readonly publisher: Ending
  readonly consumers: readonly Ending[]
  /** The process that ended when it should not have. */
  readonly early: Ending | undefined
}

/** Starts the processes and ends them: when the time is over, on a signal, or when one of them ends by itself. */
export async function runProcesses(options: Options): Promise<Run> {
  const interrupted = interruption()
  const consumers = startConsumers(options)
  await Promise.all(consumers.map(({ ready }) => ready))
  const publisher = startPublisher(options)
  await publisher.ready
  const start = performance.now()
  const ended = [publisher, ...consumers].map(({ ended }) => ended)
  await Promise.race([interrupted, Promise.all(consumers.map(({ begun }) => begun)), ...ended])
  const early = await Promise.race([interrupted, timeUp(options.seconds), ...ended])
  const seconds = Math.round(performance.now() - start) / 1000
  return { seconds, early, ...(await stop(publisher, consumers)) }
}

/** The publisher first: its consumers then see the publication end, and have seen all of it. */
async function stop(publisher: Child, consumers: readonly Child[]): Promise<Pick<Run, 'publisher' | 'consumers'>> {
  publisher.stop()
  const published = await publisher.ended
  for (const consumer of consumers) consumer.stop()
  return { publisher: published, consumers: await Promise.all(consumers.map(({ ended }) => ended)) }
}

/** A signal may come twice: from the terminal, and passed on by npm. */
function interruption(): Promise<undefined> {
  return new Promise(resolve => {
    for (const signal of END_SIGNALS) process.on(signal, () => resolve(undefined))
  })
}

function timeUp(seconds: number | undefined): Promise<undefined> {
  return new Promise(resolve => {
    if (seconds !== undefined) setTimeout(() => resolve(undefined), seconds * 1000).unref()
  })
}
