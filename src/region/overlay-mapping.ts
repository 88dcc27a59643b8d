import { attempt, PublicationError, RegionError } from '../errors.js'
import { NativeRegion } from '../native.js'
import { checkHoldable, hold, release } from './attached-buffers.js'
import { isGone } from './buffers.js'
import { checkThere, type Lendable } from './lendable.js'
import type { MapPlan } from './map-plan.js'
import type { Paged } from './mapping.js'

// An overlay that was forgotten stays: whoever still has its array counts on what is there, and the engine must not free the array's memory while something else is
// mapped over it. What ends with its thread is closed by the native part, before the engine frees anything.
const live = new Set<OverlayMapping>()

/** One region over an array, as the overlay and the ranges of its pages see it. */
export class OverlayMapping implements Paged {
  readonly plan: MapPlan
  /** So that it stays with its memory, whoever forgets it. */
  readonly array: ArrayBufferView
  readonly byteLength: number
  isClosed = false
  readonly #native: NativeRegion
  readonly #buffer: ArrayBuffer
  readonly #bytes: Uint8Array

  /** What can be refused without making anything is refused first. */
  static make(plan: MapPlan, lent: Lendable, keep: boolean): OverlayMapping {
    const what = `overlay ${plan.subject}`
    checkThere(what, lent.buffer) // options may have getters; from here on no code of the caller runs
    checkHoldable(what, lent.buffer)
    const native = attempt(() => NativeRegion.open(plan.native))
    try {
      hold(what, lent.buffer)
      try {
        attempt(() => native.overlay(lent.bytes, keep))
      } catch (error) {
        release(lent.buffer)
        throw error
      }
    } catch (error) {
      native.close()
      throw error
    }
    return new OverlayMapping(plan, native, lent)
  }

  private constructor(plan: MapPlan, native: NativeRegion, { array, buffer, bytes, byteOffset }: Lendable) {
    native.closeAtEnd()
    this.plan = plan
    this.array = array
    this.byteLength = native.byteLength
    this.#native = native
    this.#buffer = buffer
    this.#bytes = bytes.subarray(byteOffset, byteOffset + this.byteLength)
    live.add(this)
  }

  what(operation: string): string {
    return `${operation} ${this.plan.subject}`
  }

  /** Throws `ERR_DISPOSED`, or what happened to the pages since it was last asked: `ERR_TRUNCATED`, `ERR_READ_ONLY`, `ERR_NO_ACCESS`. */
  check(operation: string): void {
    this.call(operation, native => native.check())
  }

  /** Calls the native part, unless it is closed. */
  call<T>(operation: string, use: (native: NativeRegion) => T): T {
    if (this.isClosed) throw new PublicationError('ERR_DISPOSED', `${this.what(operation)}: this overlay is closed`)
    return attempt(() => use(this.#native))
  }

  address(operation: string): bigint {
    this.check(operation)
    return attempt(() => this.#native.address())
  }

  bytes(operation: string): Uint8Array {
    this.check(operation)
    return this.#bytes
  }

  /** The array has pages of its own again; only then may it go where its owner likes. */
  close(keep: boolean): void {
    if (this.isClosed) return
    if (isGone(this.#buffer)) {
      this.#end(native => native.detach())
      const message =
        "the array was detached, so that its memory may be somebody else's by now: it stays mapped for the rest of the process"
      throw new RegionError('ERR_UNMAPPED', `${this.what('close')}: ${message}`)
    }
    this.#end(native => native.giveBack(keep))
    release(this.#buffer)
  }

  #end(end: (native: NativeRegion) => void): void {
    attempt(() => end(this.#native))
    this.isClosed = true
    live.delete(this)
  }
}
