import type { Decoding } from './decoding.js'
import { Lease, type Lender } from './lease.js'
import type { Source } from './source.js'

/**
 * One value, held in place until it is released. Nothing is copied, so hold it briefly: with `buffers: 1` the publisher
 * waits for it.
 *
 * ```ts
 * using lock = consumer.readLock()
 * console.log(lock.version, lock.value.field2)
 * ```
 *
 * After {@link ReadLock.release} everything here but `release` throws `ERR_RELEASED`. If another process cuts the segment short meanwhile,
 * what was seen last may be zeros: from then on everything here throws `ERR_TRUNCATED`, the release included.
 */
export class ReadLock<Live = unknown> {
  readonly #source: Source
  readonly #decoding: Decoding
  readonly #lease: Lease
  #value: Live | undefined

  /** @internal */
  constructor(operation: string, source: Source, decoding: Decoding, lender: Lender) {
    this.#source = source
    this.#decoding = decoding
    this.#lease = new Lease(operation, lender, source, false)
  }

  /**
   * The value where it is: fields are read when they are asked for, and throw `ERR_RELEASED` after the release. Setting one throws
   * `ERR_READ_ONLY`. In a publication of bytes, the same as {@link ReadLock.bytes}.
   */
  get value(): Live {
    this.#lease.check()
    this.#value ??= this.#decoding.live(this.#source, this.#lease) as Live
    return this.#value
  }

  /**
   * The value's bytes where they are, in the publisher's layout. Do not write to them, and do not keep the array: after the release it
   * shows whatever is published next.
   */
  get bytes(): Uint8Array {
    this.#lease.check()
    return this.#source.bytes()
  }

  /** 1 for the first value of the publication, then growing by 1. */
  get version(): number {
    this.#lease.check()
    return this.#source.version
  }

  /** Whether the lock is gone. */
  get released(): boolean {
    return this.#lease.isOver
  }

  /**
   * Lets go of the value. Twice is once.
   *
   * @throws `ERR_TRUNCATED`, when the lock is gone: what was read under it may have been zeros in the place of the value.
   */
  release(): void {
    if (this.#lease.end()) this.#source.end()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
