import { checkFunction, checkOptions, checkSignal, checkTimeout, invalid, isPromise, promiseReturned } from '../arguments.js'
import { elapsed } from '../clock.js'
import { attempt, LockError, PublicationError } from '../errors.js'
import type { Lender } from '../lease.js'
import { NativeMutex } from '../native.js'
import { checkCount } from '../region/checks.js'
import type { Overlay } from '../region/overlay.js'
import type { Region } from '../region/region.js'
import { mappings } from '../region/region-handle.js'
import { Bell, sleep, throwIfAborted } from '../sleep.js'
import { DEFAULT_TIMEOUT, persist } from '../waiting.js'
import { Watcher } from '../watcher.js'
import { MutexGuard } from './mutex-guard.js'
import type { MutexLockAsyncOptions, MutexLockOptions } from './mutex-options.js'

const LOCK_OPTIONS = ['timeout'] as const
const ASYNC_OPTIONS = ['timeout', 'signal'] as const

/** Who holds a mutex, for display: process ids lie across containers. */
export interface MutexHolder {
  /** The process id as that process sees itself; 0 in the instant in which nobody knows. */
  readonly pid: number
  /** The slot, from 0 to 1023, of the participant. */
  readonly slot: number
}

/**
 * A robust mutex in a region: one participant of it, in any process or worker, holds it at a time. 64 bytes of the region are its own; they are zeros
 * before its first use.
 *
 * ```ts
 * using region = Region.map({ source: { shm: 'counter' } })
 * using mutex = Mutex.at(region, 0)
 * const counter = region.view(Uint32Array, 64, 1)
 * {
 *   using lock = mutex.lock()
 *   counter[0] += 1
 * }
 * ```
 *
 * What POSIX calls `PTHREAD_MUTEX_ROBUST`: whoever holds it and ends without releasing it (a process that is killed, a worker that is terminated, a
 * mutex that is closed or collected) leaves it to the next one, whose {@link MutexGuard.recovered} is true. Nobody is taken for dead because time
 * passed: the kernel is asked, by a lock on a byte of the file (fcntl(2), open file description locks); those who wait sleep on a futex(2).
 *
 * It cannot be in a SysV segment: there is no descriptor, and so no byte of a file to prove by that its holder lives.
 *
 * It has a mapping of one page and a descriptor of its own, so it outlives {@link Region.close}. Each `Mutex` is a participant of its own, also in one thread;
 * a worker opens one for itself. After {@link Mutex.close} everything but `closed` and `close` throws `ERR_DISPOSED`.
 */
export class Mutex {
  readonly #native: NativeMutex
  readonly #watcher: Watcher
  readonly #lender: Lender
  /** Rings when this participant lets go, or leaves: whoever sleeps for that looks again. */
  readonly #freed = new Bell()
  #isClosed = false

  /**
   * Takes part in the mutex at that place of a region or of an overlay's shared part, of which every process finds the same one there, wherever in the file its region begins.
   *
   * @param byteOffset A multiple of 64.
   * @throws `ERR_INVALID_ARGUMENT`; `ERR_VALUE_RANGE` outside the region; `ERR_PRIVATE` for a private mapping or a device; `ERR_READ_ONLY` where
   * {@link Region.access} has no `w`; `ERR_DISPOSED`, `ERR_TRUNCATED`; `ERR_TOO_MANY_CONSUMERS` past 1024 participants; `ERR_TOO_MANY_FILES`, also as
   * {@link Region.fd}; `ERR_UNSUPPORTED` in a SysV segment, which has no bytes to lock; `ERR_ADDRESS_SPACE`; `ERR_PERMISSION` if the file may not be opened again. What fails leaves nothing behind.
   */
  static at(region: Region | Overlay, byteOffset: number): Mutex {
    const mapping = mappings.get(region)
    if (mapping === undefined) throw invalid('Mutex.at', 'region', region, 'a Region or an Overlay')
    const what = mapping.what('Mutex.at')
    const offset = checkCount(what, 'byteOffset', byteOffset)
    if (offset === undefined || offset % 64 !== 0) throw invalid(what, 'byteOffset', byteOffset, 'a multiple of 64')
    const name = `the mutex at byte ${offset.toLocaleString('en-US')} of the region of ${mapping.plan.subject}`
    return new Mutex(
      name,
      mapping.call('Mutex.at', native => NativeMutex.open(native, offset)),
    )
  }

  private constructor(name: string, native: NativeMutex) {
    this.#native = native
    this.#watcher = new Watcher(native)
    this.#lender = { name, lease: 0 }
  }

  #open(operation: string): NativeMutex {
    if (!this.#isClosed) return this.#native
    throw new PublicationError('ERR_DISPOSED', `${this.#what(operation)}: this mutex is closed`)
  }

  #what(operation: string): string {
    return `${operation} ${this.#lender.name}`
  }

  /**
   * Takes the mutex, waiting for whoever holds it. The thread sleeps meanwhile; a worker can be terminated all the same.
   *
   * @throws `ERR_TIMEOUT`, naming the holder; `ERR_ALREADY_LOCKED` if this participant holds it; `ERR_TRUNCATED` once another process has cut the file
   * short; `ERR_CORRUPT` if another process wrote over it; `ERR_LOCK_OBSTRUCTED` if the holder is gone, and a process that is no participant has
   * a read lock (fcntl(2)) on the holder's byte; `ERR_DISPOSED`, `ERR_INVALID_ARGUMENT`.
   */
  lock(options?: MutexLockOptions): MutexGuard {
    return this.#lock('lock', options)
  }

  #lock(operation: string, options: MutexLockOptions | undefined): MutexGuard {
    const what = this.#what(operation)
    const timeout = checkTimeout(what, checkOptions(what, options, LOCK_OPTIONS).timeout) ?? DEFAULT_TIMEOUT
    const native = this.#open(operation)
    const first = attempt(() => native.tryLock(false))
    const outcome = persist(
      first,
      sliceMs => attempt(() => native.lock(sliceMs, false)),
      () => timeout,
    )
    return outcome < 0 ? this.#overdue(what, timeout) : this.#hand(operation, outcome)
  }

  /**
   * Takes the mutex unless somebody who lives holds it; undefined: somebody does.
   *
   * @throws as {@link Mutex.lock}, except `ERR_TIMEOUT`.
   */
  tryLock(): MutexGuard | undefined {
    const native = this.#open('tryLock')
    const outcome = attempt(() => native.tryLock(false))
    return outcome < 0 ? undefined : this.#hand('tryLock', outcome)
  }

  /**
   * As {@link Mutex.lock}, on the event loop. While this participant holds the mutex itself that is waited for, too, so parts of a program that take
   * turns may share one `Mutex`.
   *
   * @throws (rejects) as {@link Mutex.lock}, except `ERR_ALREADY_LOCKED`; `ERR_ABORTED`; `ERR_DISPOSED` also when it is closed meanwhile.
   */
  async lockAsync(options?: MutexLockAsyncOptions): Promise<MutexGuard> {
    const what = this.#what('lockAsync')
    const given = checkOptions(what, options, ASYNC_OPTIONS)
    const { timeout = Number.POSITIVE_INFINITY, signal } = {
      timeout: checkTimeout(what, given.timeout),
      signal: checkSignal(what, given.signal),
    }
    const start = elapsed()
    for (let isWoken = false; ; isWoken = true) {
      const native = this.#open('lockAsync')
      throwIfAborted(what, signal)
      const isOwn = this.#lender.lease !== 0
      const seen = attempt(() => native.owner()) // before the attempt: a change in between ends the sleep that follows
      const outcome = isOwn ? -1 : attempt(() => native.lock(0, isWoken))
      if (outcome >= 0) return this.#hand('lockAsync', outcome)
      const ms = timeout - (elapsed() - start)
      if (ms <= 0) return this.#overdue(what, timeout)
      await sleep({ ms, signal }, this.#freed.subscribe, ...(isOwn ? [] : [this.#watcher.changed(seen, false)]))
      if (signal?.aborted && !this.#isClosed) native.disarm() // the wake-up that it does not make use of may have been somebody else's
    }
  }

  /**
   * Calls `use` while the mutex is held, and returns what it returns. The mutex is released also if it throws.
   *
   * @throws as {@link Mutex.lock}; `ERR_PROMISE_RETURNED`: what goes on later goes on without the mutex, so use {@link Mutex.lockAsync}.
   */
  withLock<T>(use: (lock: MutexGuard) => T, options?: MutexLockOptions): T {
    checkFunction(this.#what('withLock'), 'use', use)
    using lock = this.#lock('withLock', options)
    const result = use(lock)
    if (isPromise(result)) throw promiseReturned(this.#what('withLock'), result)
    return result
  }

  #hand(operation: string, outcome: number): MutexGuard {
    return new MutexGuard(operation, this.#lender, outcome === 1, () => this.#unlock())
  }

  #unlock(): void {
    try {
      attempt(() => this.#native.unlock())
    } finally {
      this.#freed.ring()
    }
  }

  #overdue(what: string, timeout: number): never {
    const holder = this.#native.holder()
    const by = holder === null ? 'nobody any more' : `pid ${holder.pid} in slot ${holder.slot}`
    throw new LockError('ERR_TIMEOUT', `${what}: ${timeout} ms are over, held by ${by}`)
  }

  /** Who holds the mutex, by its own words; undefined: nobody. Another answer may be true by the time it is there. */
  get holder(): MutexHolder | undefined {
    return this.#open('holder').holder() ?? undefined
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /**
   * Leaves. What is held then was not released: the next one who takes the mutex is told that it was recovered. Twice is once.
   */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#lender.lease = 0
    this.#native.close()
    this.#freed.ring()
  }

  /** As {@link Mutex.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}
