import { attempt, LockError, type PagecastError, PublicationError } from './errors.js'
import { CLOSED, DIED, EMPTY, type NativeConsumer, type NativeHolder, REPLACED, WRITING } from './native.js'
import { DEFAULT_TIMEOUT } from './waiting.js'

/** An error names at most so many: there may be a thousand. */
const MOST_NAMED = 8

/** How long a reader waits: only a write that is under way is waited for unasked. */
export function readerPatience(code: number, timeout: number | undefined): number {
  if (code === CLOSED || code === REPLACED) return 0
  return timeout ?? (code === WRITING ? DEFAULT_TIMEOUT : 0)
}

/** Why a reader got no value, once its patience is over. */
export function readerRefusal(code: number, what: string, timeout: number | undefined, native: NativeConsumer): PagecastError {
  switch (code) {
    case CLOSED:
      return new PublicationError('ERR_CLOSED', `${what}: the publisher closed the publication`)
    case REPLACED:
      return new PublicationError('ERR_REPLACED', `${what}: another segment has the name now; open it anew`)
    case DIED:
      return new PublicationError('ERR_PUBLISHER_DIED', `${what}: the publisher (pid ${pidOf(native)}) died and left no whole value`)
    case EMPTY:
      if (timeout === undefined) return new PublicationError('ERR_EMPTY', `${what}: nothing has been published yet`)
      return overdue(what, timeout, `the publisher (pid ${pidOf(native)}) has published nothing`)
    default:
      return overdue(what, timeout ?? DEFAULT_TIMEOUT, `the publisher (pid ${pidOf(native)}) is still writing`)
  }
}

/** Why an iteration got no newer value in time. */
export function changeRefusal(what: string, timeout: number, native: NativeConsumer): PagecastError {
  const did = attempt(() => native.publisherAlive()) ? 'has published nothing new' : 'is gone, and has no successor'
  return overdue(what, timeout, `the publisher (pid ${pidOf(native)}) ${did}`)
}

function overdue(what: string, timeout: number, why: string): LockError {
  return new LockError('ERR_TIMEOUT', `${what}: ${timeout} ms are over, ${why}`)
}

function pidOf(native: NativeConsumer): number | string {
  return native.holder()?.pid ?? 'unknown'
}

function listed(holders: readonly NativeHolder[]): string {
  const named = holders.slice(0, MOST_NAMED).map(({ pid, slot }) => `pid ${pid} in slot ${slot}`)
  const more = holders.length - named.length
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** Why a publisher got no buffer. */
export function writerRefusal(what: string, timeout: number | undefined, buffers: number, holders: readonly NativeHolder[]): PagecastError {
  const by = `held by ${holders.length === 0 ? 'nobody any more' : listed(holders)}`
  if (timeout === undefined && buffers > 1) return new LockError('ERR_BUSY', `${what}: none of ${buffers} buffers is free, ${by}`)
  return overdue(what, timeout ?? DEFAULT_TIMEOUT, by)
}
