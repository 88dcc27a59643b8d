import { checkOptions } from '../arguments.js'
import { attempt, PublicationError } from '../errors.js'
import { NativeReservation } from '../native.js'
import { checkAddress, checkSize, needSize } from './checks.js'
import type { ReserveOptions } from './map-options.js'
import { roundToPageSize } from './page-size.js'

/**
 * Addresses that nothing else will be mapped at: address space without memory (mmap(2), `PROT_NONE`). Regions are mapped into it with
 * `placement: 'replace'`.
 *
 * ```ts
 * using space = Region.reserve(1024 * PAGE_SIZE)
 * using region = Region.map({ size: PAGE_SIZE, address: space.address, placement: 'replace' })
 * ```
 */
export class Reservation {
  readonly #native: NativeReservation
  readonly #byteLength: number
  #isClosed = false

  /** @internal */
  static make(size: number, options: ReserveOptions | undefined): Reservation {
    const byteLength = roundToPageSize(needSize('reserve', checkSize('reserve', size), 'expected a number of bytes'))
    const address = checkAddress('reserve', checkOptions('reserve', options, ['address']).address)
    return new Reservation(
      attempt(() => NativeReservation.make(byteLength, address)),
      byteLength,
    )
  }

  private constructor(native: NativeReservation, byteLength: number) {
    this.#native = native
    this.#byteLength = byteLength
  }

  /** Where it begins. `ERR_DISPOSED` once it is closed. */
  get address(): bigint {
    this.#check('address')
    return attempt(() => this.#native.address)
  }

  /** How many bytes: what was asked for, rounded up to whole pages. `ERR_DISPOSED` once it is closed. */
  get byteLength(): number {
    this.#check('byteLength')
    return this.#byteLength
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** Takes no more regions, and gives the addresses back (munmap(2)) as soon as those that were mapped into it are closed, too. Twice is once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    attempt(() => this.#native.close())
  }

  /** As {@link Reservation.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #check(operation: string): void {
    if (this.#isClosed) throw new PublicationError('ERR_DISPOSED', `${operation}: this reservation is closed`)
  }
}
