// The engine's own, as in `clock.ts`: a program whose tests stop the clock replaces the globals.
import { clearTimeout, setImmediate, setTimeout } from 'node:timers'
import { LockError } from './errors.js'
import { hold, release } from './keep-alive.js'

/** Registers a function to be called when there is reason to look again; returns what takes it back. */
export type Subscribe = (wake: () => void) => () => void

/** Wakes whoever sleeps on it. */
export class Bell {
  readonly #wakes = new Set<() => void>()

  readonly subscribe: Subscribe = wake => {
    this.#wakes.add(wake)
    return () => this.#wakes.delete(wake)
  }

  get isIdle(): boolean {
    return this.#wakes.size === 0
  }

  ring(): void {
    for (const wake of [...this.#wakes]) wake()
  }
}

/** What may end a sleep besides those it is told to listen to. */
export interface Sleep {
  /** Milliseconds. Default `Infinity`: no end. */
  ms?: number | undefined
  signal?: AbortSignal | undefined
  /** Whether the sleep keeps the process alive. Default true. */
  ref?: boolean | undefined
}

const LONGEST_TIMER = 2 ** 31 - 1

/** Sleeps until anything happens, or nothing at all: whoever wakes up looks for itself. */
export function sleep({ ms = Number.POSITIVE_INFINITY, signal, ref = true }: Sleep, ...reasons: Subscribe[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const undo: (() => void)[] = []
    const tidy = (): void => {
      for (const step of undo.splice(0)) step()
    }
    const wake = (): void => {
      tidy()
      resolve()
    }
    try {
      if (signal !== undefined) undo.push(onAbort(signal, wake))
      if (ms < Number.POSITIVE_INFINITY) undo.push(onTime(ms, ref, wake))
      for (const subscribe of reasons) undo.push(subscribe(wake))
      if (ref) undo.push(keptAlive())
    } catch (error) {
      tidy()
      reject(error)
    }
  })
}

/** Lets the event loop do what else there is to do: whoever has work without end takes turns. */
export function turn(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}

function onAbort(signal: AbortSignal, wake: () => void): () => void {
  if (signal.aborted) void Promise.resolve().then(wake) // it will not say so again
  signal.addEventListener('abort', wake, { once: true })
  return () => signal.removeEventListener('abort', wake)
}

function onTime(ms: number, ref: boolean, wake: () => void): () => void {
  const timer = setTimeout(wake, Math.min(Math.ceil(ms), LONGEST_TIMER))
  if (!ref) timer.unref()
  return () => clearTimeout(timer)
}

function keptAlive(): () => void {
  hold()
  return release
}

/** All asynchronous calls end like this: rejected with `ERR_ABORTED`, whose `cause` is the signal's reason. */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LockError('ERR_ABORTED', `${what}: aborted by its signal`, { cause: signal.reason })
}
