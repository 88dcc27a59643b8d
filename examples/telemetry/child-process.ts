import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** A child that is still there so long after it was told to stop is killed. One of the lowest priority has little time where others are busy. */
const PATIENCE_MS = 30_000

/** They ask for an end. One that comes before a child listens, or after it has reported, ends it at once, which is no failure. */
export const END_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** What a child says at its end: its figures. */
export type Report = Record<string, unknown>

/** How a child ended. */
export interface Ending {
  readonly name: string
  readonly report: Report
  /** What it wrote to standard error. */
  readonly errors: string
  /** Undefined: it ended as it should. */
  readonly failure: string | undefined
}

/**
 * A child process. Its standard input does nothing but end: when the parent says so, or is dead. It writes a line of JSON when
 * it is ready, one when a consumer has begun, and one with its report: to standard output where that is a pipe, else to descriptor 3.
 */
export class Child {
  /** Until it is ready, or has ended. */
  readonly ready: Promise<unknown>
  /** Until a consumer is at work, or has ended. */
  readonly begun: Promise<unknown>
  readonly ended: Promise<Ending>
  readonly #process: ChildProcess

  constructor(name: string, file: string, args: string[], stdout: 'pipe' | 'inherit' | 'ignore') {
    this.#process = spawn(file, args, { stdio: ['pipe', stdout, 'pipe', 'pipe'] })
    this.#process.stdin?.on('error', () => {}) // it is dead already, which `ended` tells
    const lines = createInterface((this.#process.stdout ?? this.#process.stdio[3]) as Readable)
    this.ended = this.#follow(name, lines)
    this.ready = Promise.race([nthLine(lines, 1), this.ended])
    this.begun = Promise.race([nthLine(lines, 2), this.ended])
  }

  /** Tells it to end. */
  stop(): void {
    this.#process.stdin?.end()
    setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS).unref()
  }

  async #follow(name: string, lines: NodeJS.EventEmitter): Promise<Ending> {
    let report: Report = {}
    let errors = ''
    lines.on('line', line => {
      report = JSON.parse(line)
    })
    this.#process.stderr?.setEncoding('utf8').on('data', text => {
      errors += text
    })
    const failure = await this.#failure()
    return { name, report, errors, failure }
  }

  async #failure(): Promise<string | undefined> {
    try {
      const [code, signal] = await once(this.#process, 'close')
      if (code === 0 || END_SIGNALS.includes(signal)) return undefined
      return signal === null ? `ended with code ${code}` : `killed by ${signal}`
    } catch (error) {
      return (error as Error).message // it could not be started
    }
  }
}

/** Listens from the beginning: two lines may arrive at once. */
function nthLine(lines: NodeJS.EventEmitter, n: number): Promise<unknown> {
  let left = n
  return new Promise<void>(resolve => {
    lines.on('line', () => {
      left -= 1
      if (left === 0) resolve()
    })
  })
}
