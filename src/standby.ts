import { elapsed } from './clock.js'
import { attempt, LockError, PagecastError } from './errors.js'
import { type NativeLocation, NativeStandby } from './native.js'
import { sleep, throwIfAborted } from './sleep.js'

/** A stranger's read lock is in the way, for as long as he likes. */
const OBSTRUCTED = 'ERR_LOCK_OBSTRUCTED'
/** That, or somebody was faster. */
const BEATEN = ['ERR_PUBLISHER_EXISTS', OBSTRUCTED]

/** The place could not be taken yet: somebody lives, or the attempt failed. */
class Beaten {
  readonly error: PagecastError | undefined

  constructor(error?: PagecastError) {
    this.error = error
  }
}

const ALIVE = new Beaten()

/** Whose place is awaited, and how long. */
export interface Candidate<T> {
  readonly what: string
  readonly at: NativeLocation
  /** Takes the place; throws `ERR_PUBLISHER_EXISTS` if somebody was faster, `ERR_LOCK_OBSTRUCTED` if a stranger is in the way. */
  take(): T
  /** Milliseconds. Default `Infinity`: until the signal. */
  readonly timeout: number | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Waits on the event loop until no living publisher is there, and takes its place. The kernel is asked every few milliseconds, which
 * takes it a microsecond: see `standby.rs` for why nothing better wakes a candidate.
 */
export async function standBy<T>({ what, at, take, timeout = Number.POSITIVE_INFINITY, signal }: Candidate<T>): Promise<T> {
  throwIfAborted(what, signal)
  const start = elapsed()
  const native = attempt(() => NativeStandby.open(at))
  try {
    for (;;) {
      const taken = native.isVacant() ? unlessBeaten(take) : ALIVE
      if (!(taken instanceof Beaten)) return taken
      const left = timeout - (elapsed() - start)
      if (left <= 0) throw refusal(what, timeout, taken.error, native.publisherPid())
      await sleep({ ms: Math.min(left, native.intervalMs), signal })
      throwIfAborted(what, signal)
    }
  } finally {
    native.close()
  }
}

function unlessBeaten<T>(take: () => T): T | Beaten {
  try {
    return take()
  } catch (error) {
    if (error instanceof PagecastError && BEATEN.includes(error.code)) return new Beaten(error)
    throw error
  }
}

function refusal(what: string, timeout: number, cause: PagecastError | undefined, pid: number | null): LockError {
  if (cause?.code === OBSTRUCTED) return new LockError('ERR_TIMEOUT', `${what}: ${timeout} ms are over; ${cause.message}`, { cause })
  const who = pid === null ? 'another publisher' : `the publisher (pid ${pid})`
  return new LockError('ERR_TIMEOUT', `${what}: ${timeout} ms are over, ${who} lives`)
}
