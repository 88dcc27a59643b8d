import { elapsed } from './clock.js'

/**
 * How long a write with `buffers: 1` waits for readers, a read for such a write, and `Mutex.lock` and `Mutex.withLock` for whoever holds the mutex, unless a
 * `timeout` says otherwise: 1000 milliseconds.
 */
export const DEFAULT_TIMEOUT = 1000

/** The longest stay in native code: a worker cannot be terminated before it returns. */
const SLICE = 50

/**
 * Repeats `attempt`, which sleeps at most the milliseconds it is given, until it returns an index (0 or more) or the
 * patience with its code (below 0) is over. `patience` is asked on every turn: it is also the function call on which
 * the engine notices that its worker is to end.
 */
export function persist(first: number, attempt: (sliceMs: number) => number, patience: (code: number) => number): number {
  const start = elapsed()
  let outcome = first
  while (outcome < 0) {
    const left = patience(outcome) - (elapsed() - start)
    if (left <= 0) return outcome
    outcome = attempt(Math.min(left, SLICE))
  }
  return outcome
}
