/** How `Consumer.openDynamic` attaches. */
export interface OpenDynamicOptions {
  /** Where the segment is. Default `/dev/shm`. */
  directory?: string
  /**
   * Attach with permission to read only: takes no slot and delays nobody, and can only read copies; locks are `ERR_READ_ONLY`.
   * Default false.
   */
  readOnly?: boolean
}

/** How `Consumer.open` attaches. */
export interface OpenOptions extends OpenDynamicOptions {
  /**
   * Whether the publisher's schema must be the type's own to the byte: order, offsets and meta included. For bytes: whether the two limits
   * must be equal. Default false: fields are found by name and type.
   */
  exact?: boolean
}

/** How an asynchronous call waits. Without a timeout and a signal it may wait for ever. */
export interface WaitOptions {
  /** Milliseconds until `ERR_TIMEOUT`. Default: no end. */
  timeout?: number
  /** Ends the wait with `ERR_ABORTED`, whose `cause` is the signal's reason. */
  signal?: AbortSignal
}

/** How a reading waits. The thread sleeps meanwhile. */
export interface ReadOptions {
  /**
   * Milliseconds to wait for a value; then `ERR_TIMEOUT`. Default: 1000 for a write that is under way, which only happens with `buffers: 1`.
   * A first value, or another one where the publisher died while it wrote, is only waited for where this is given.
   * Finite; for as long as it takes, `Number.MAX_SAFE_INTEGER`.
   */
  timeout?: number
}

/** How `Consumer.readLockAsync` waits, on the event loop. */
export interface ReadLockAsyncOptions extends ReadOptions {
  /** Ends the wait with `ERR_ABORTED`, whose `cause` is the signal's reason. */
  signal?: AbortSignal
}

/** How `Consumer.changes` iterates. */
export interface ChangesOptions {
  /** Milliseconds to wait for each value; then the iteration ends with `ERR_TIMEOUT`. Default: no end. */
  timeout?: number
  /** Ends the iteration with `ERR_ABORTED`, whose `cause` is the signal's reason. */
  signal?: AbortSignal
  /** Most values a second; those in between are skipped. Default: as they come. */
  maxRate?: number
  /**
   * Whether to wait for the next segment of that name when this one is closed, replaced or cut short, and to go on with it. Default false:
   * the iteration ends when the publication is closed, and throws `ERR_REPLACED` when it is replaced, `ERR_TRUNCATED` when it is cut short.
   */
  reopen?: boolean
  /** Whether an awaited value keeps the process alive. Default true. */
  ref?: boolean
  /** Whether to give a {@link Change} instead of the bare value. Default false. */
  withMeta?: boolean
}

/** A value and what is known of it. */
export interface Change<Value> {
  readonly value: Value
  /** 1 for the first value of the publication, then growing by 1: a gap is values that were skipped. */
  readonly version: number
  /** Milliseconds from the publication to the moment when it was read. */
  readonly stalenessMs: number
  /** How many publishers the segment has had. */
  readonly epoch: number
}
