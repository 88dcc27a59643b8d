import { Lease, type Lender } from '../lease.js'

/** There are no views that could show what is gone. */
const GROUND = { check: (): void => {} }

/**
 * A mutex that is held, until it is released: at the end of its scope with `using`.
 *
 * ```ts
 * {
 *   using lock = mutex.lock()
 *   if (lock.recovered) repair(region.bytes)
 *   region.bytes[64] += 1
 * }
 * ```
 */
export class MutexGuard {
  /**
   * Whether the last one who held the mutex ended without releasing it: its process was killed, its worker terminated, or it was closed. What
   * the mutex guards may be half changed. Told once: after {@link MutexGuard.release} it counts as whole.
   */
  readonly recovered: boolean
  readonly #lease: Lease
  readonly #unlock: () => void

  /** @internal */
  constructor(operation: string, lender: Lender, recovered: boolean, unlock: () => void) {
    this.recovered = recovered
    this.#unlock = unlock
    this.#lease = new Lease(operation, lender, GROUND, true)
  }

  /** Whether the mutex was released, or closed. */
  get released(): boolean {
    return this.#lease.isOver
  }

  /**
   * Releases the mutex. Twice is once.
   *
   * @throws `ERR_TRUNCATED` or `ERR_CORRUPT`, when it is no longer held: another process cut the file short, or wrote over the mutex, so somebody else
   * may have had it at the same time.
   */
  release(): void {
    if (this.#lease.end()) this.#unlock()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
