import type { Options } from './arguments.js'
import type { Report } from './child-process.js'
import type { Run } from './run.js'

/** What a run came to; `--json` prints it. */
export interface Result extends Report {
  readonly publisher: Options['publisher']
  readonly seconds: number
  readonly publications: number
  readonly publicationsPerSecond: number
  /** Times for a publication that passed before the publisher got to it. */
  readonly skipped: number
  readonly wakeP50Us: number
  readonly wakeP99Us: number
  readonly torn: number
  readonly backwards: number
  /** Each with `name`, `reads`, `changes`, `missed`, `torn`, `backwards`, `readsPerSecond`, and figures of its own. */
  readonly consumers: readonly Report[]
}

/** Whether everybody has come to an end with figures; who was interrupted at the beginning has none. */
export function isComplete({ publisher, consumers }: Run): boolean {
  return publisher.report.publications !== undefined && consumers.every(({ report }) => report.reads !== undefined)
}

export function resultOf(publisher: Options['publisher'], run: Run): Result {
  const consumers = run.consumers.map(({ name, report }) => ({ name, ...report }) as Report)
  const { publications, skipped } = run.publisher.report as { publications: number; skipped: number }
  const { wakeP50Us, wakeP99Us } = consumers.find(({ name }) => name === 'waker') as { wakeP50Us: number; wakeP99Us: number }
  return {
    publisher,
    seconds: run.seconds,
    publications,
    publicationsPerSecond: Math.round(publications / run.seconds),
    skipped,
    wakeP50Us,
    wakeP99Us,
    torn: total(consumers, 'torn'),
    backwards: total(consumers, 'backwards'),
    consumers,
  }
}

function total(reports: readonly Report[], figure: string): number {
  return reports.reduce((sum, report) => sum + Number(report[figure]), 0)
}

/** The result for people. */
export function describe(result: Result): string {
  const { publisher, seconds, publications, publicationsPerSecond, wakeP50Us, wakeP99Us } = result
  const rows = result.consumers.map(({ name, reads, changes, torn, readsPerSecond }) => [name, reads, changes, torn, readsPerSecond])
  const table = [['', 'reads', 'changes', 'torn', 'reads/s'], ...rows]
  return [
    `${publications} publications in ${seconds} s by the ${publisher} publisher, ${publicationsPerSecond} a second`,
    ...table.map(([name, ...figures]) => `  ${String(name).padEnd(10)}${figures.map(figure => String(figure).padStart(12)).join('')}`),
    `from publication to wake-up: ${wakeP50Us} µs (median), ${wakeP99Us} µs (99 %)`,
  ].join('\n')
}
