/** How `Mutex.lock` and `Mutex.withLock` wait. */
export interface MutexLockOptions {
  /**
   * Milliseconds to wait for whoever holds the mutex; then `ERR_TIMEOUT`. 0: do not wait. Default 1000, {@link DEFAULT_TIMEOUT}.
   * Finite; for as long as it takes, `Number.MAX_SAFE_INTEGER`.
   */
  timeout?: number
}

/** How `Mutex.lockAsync` waits, on the event loop. */
export interface MutexLockAsyncOptions {
  /** Milliseconds to wait for whoever holds the mutex; then `ERR_TIMEOUT`. Default: no end. */
  timeout?: number
  /** Ends the wait with `ERR_ABORTED`, whose `cause` is the signal's reason. */
  signal?: AbortSignal
}
