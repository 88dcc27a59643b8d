import type { PublicationType } from './encoding.js'
import type { InferInput } from './struct/index.js'

/** How `Publisher.create` makes a publication. */
export interface CreateOptions<T extends PublicationType = PublicationType> {
  /** The first value. Default: none; consumers find the publication empty until the first write. */
  init?: InferInput<T>
  /**
   * How many values the segment has room for, 1 to 63. With 1, publisher and consumers exclude each other. With 2 or more nobody waits for
   * anybody while a buffer is free; with `maxConsumers + 2` one always is. Default: `maxConsumers + 2` (63 at the most) while that fits in
   * 1 MiB, else 4.
   */
  buffers?: number
  /** How many consumers may be attached at once, 1 to 1024; read-only ones do not count. Default 16. */
  maxConsumers?: number
  /**
   * Permission bits of the segment, exactly these, whatever the umask. They must have 0o600. Default 0o600. Whoever they let write, only the
   * same user takes the segment over in place; another one replaces it, if the directory lets him (in `/dev/shm` it does not: `ERR_PERMISSION`).
   */
  mode?: number
  /**
   * What to do about a segment of that name whose publisher is gone. `adopt`: take it over, if type and sizes match and it is this
   * user's own, so that its consumers stay attached, else replace it. `replace`: put a new segment in its place; its consumers are told.
   * `fail`: `ERR_ALREADY_EXISTS`. Default `adopt`.
   */
  ifDead?: 'adopt' | 'replace' | 'fail'
  /** Where the segment is. Default `/dev/shm`. */
  directory?: string
  /** Milliseconds to wait for readers when `init` is written to an adopted segment, as in {@link WriteOptions}. */
  timeout?: number
}

/** How `Publisher.standby` waits, and then makes the publication as `Publisher.create` does. */
export interface StandbyOptions<T extends PublicationType = PublicationType> extends Omit<CreateOptions<T>, 'timeout'> {
  /** Milliseconds until `ERR_TIMEOUT`. Default: no end. */
  timeout?: number
  /** Ends the wait with `ERR_ABORTED`, whose `cause` is the signal's reason. */
  signal?: AbortSignal
}

/** How a write waits. */
export interface WriteOptions {
  /**
   * Milliseconds to wait for consumers to let go of a buffer; then `ERR_TIMEOUT`, naming who holds one. The thread sleeps meanwhile.
   * Default: 1000 with `buffers: 1`. With more buffers a write does not wait: `ERR_BUSY`.
   * Finite; for as long as it takes, `Number.MAX_SAFE_INTEGER`.
   */
  timeout?: number
}

/** How a lock for writing begins. */
export interface WriteLockOptions extends WriteOptions {
  /**
   * Whether the buffer begins as a copy of the current value (as zeros, if there is none). Without it, it holds whatever an earlier write
   * left there, and every field must be set. Default true.
   */
  copy?: boolean
}

/** How `Publisher.close` leaves the segment. */
export interface CloseOptions {
  /** Leave the name, so that the next publisher can adopt the segment and its consumers. Default false: the name is removed. */
  keep?: boolean
}
