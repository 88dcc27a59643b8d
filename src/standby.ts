import { elapsed } from './clock.js'
import { attempt, LockError, PagecastError } from './errors.js'
import { NativeStandby } from './native.js'
import { sleep, throwIfAborted } from './sleep.js'

/** Somebody was faster, or a stranger's read lock is in the way, for as long as he likes. */
const BEATEN = ['ERR_PUBLISHER_EXISTS', 'ERR_LOCK_OBSTRUCTED']

/** Whose place is awaited, and how long. */
export interface Candidate<T> {
  readonly what: string
  readonly name: string
  readonly directory: string | undefined
  /** Takes the place; throws `ERR_PUBLISHER_EXISTS` if somebody was faster, `ERR_LOCK_OBSTRUCTED` if a stranger is in the way. */
  take(): T
  /** Milliseconds. Default `Infinity`: until the signal. */
  readonly timeout: number | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Waits on the event loop until no living publisher has the name, and takes its place. The kernel is asked every few milliseconds, which
 * takes it a microsecond: see `standby.rs` for why nothing better wakes a candidate.
 */
export async function standBy<T>({ what, name, directory, take, timeout = Number.POSITIVE_INFINITY, signal }: Candidate<T>): Promise<T> {
  throwIfAborted(what, signal)
  const start = elapsed()
  const native = attempt(() => NativeStandby.open(name, directory))
  try {
    for (;;) {
      const taken = native.isVacant() ? unlessBeaten(take) : undefined
      if (taken !== undefined) return taken
      const left = timeout - (elapsed() - start)
      if (left <= 0) throw refusal(what, timeout, native.publisherPid())
      await sleep({ ms: Math.min(left, native.intervalMs), signal })
      throwIfAborted(what, signal)
    }
  } finally {
    native.close()
  }
}

function unlessBeaten<T>(take: () => T): T | undefined {
  try {
    return take()
  } catch (error) {
    if (error instanceof PagecastError && BEATEN.includes(error.code)) return undefined
    throw error
  }
}

function refusal(what: string, timeout: number, pid: number | null): LockError {
  const who = pid === null ? 'another publisher' : `the publisher (pid ${pid})`
  return new LockError('ERR_TIMEOUT', `${what}: ${timeout} ms are over, ${who} lives`)
}
