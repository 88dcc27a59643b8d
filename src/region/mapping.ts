import { ArgumentError, attempt, PublicationError, RegionError } from '../errors.js'
import { NativeRegion } from '../native.js'
import { ADDRESSES } from './checks.js'
import type { RegionHandle } from './handle.js'
import type { MapPlan } from './map-plan.js'
import { isHeldUntilClosed, RegionPages } from './region-pages.js'
import { takeIn, takeOut } from './spare-descriptors.js'

/** `SharedArrayBuffer`s come in multiples of this many bytes. */
const SHARED_UNIT = 65_536

/** What ranges of pages need of what they are of. */
export type Paged = Pick<Mapping, 'byteLength' | 'what' | 'check' | 'call' | 'address' | 'bytes'>

/** One mapped region, as the region itself and the ranges of its pages see it: the native part, and the engine's pages that it lies over. */
export class Mapping {
  readonly plan: MapPlan
  /** As asked for. */
  byteLength: number
  isClosed = false
  readonly #native: NativeRegion
  readonly #descriptor: WeakRef<NativeRegion> | undefined
  #pages: RegionPages | undefined
  #bytes: Uint8Array | undefined
  #shared: RegionPages | undefined
  /** Those of before a resize: they are mapped until the end. */
  readonly #outgrown: RegionPages[] = []

  /** Where the size is known, the engine's pages come first: if there are none, nothing was made that would have to be undone. */
  static make(plan: MapPlan): Mapping {
    const what = `map ${plan.subject}`
    const { byteLength } = plan.native
    const early = byteLength !== undefined && plan.isViewable ? pagesFor(plan, what, { byteLength }) : undefined
    const native = attempt(() => NativeRegion.open(plan.native))
    try {
      return new Mapping(plan, native, early)
    } catch (error) {
      native.close()
      throw error
    }
  }

  private constructor(plan: MapPlan, native: NativeRegion, early: RegionPages | undefined) {
    this.plan = plan
    this.#native = native
    this.byteLength = native.byteLength
    if (isHeldUntilClosed) native.closeAtEnd()
    if (!native.viewable) return
    const pages = early ?? pagesFor(plan, `map ${plan.subject}`, native)
    attempt(() => native.mapOver(pages.whole))
    this.#show(pages)
    if (plan.seals.length > 0) attempt(() => native.seal([...plan.seals]))
    this.#descriptor = takeIn(native)
  }

  #show(pages: RegionPages): void {
    pages.belongTo(this.#native)
    this.#pages = pages
    this.#bytes = new Uint8Array(pages.buffer, 0, this.byteLength)
  }

  /** Throws `ERR_DISPOSED`, or what happened to the pages since it was last asked: `ERR_TRUNCATED`, `ERR_READ_ONLY`, `ERR_NO_ACCESS`. */
  check(operation: string): void {
    this.call(operation, native => native.check())
  }

  /** Calls the native part, unless it is closed. */
  call<T>(operation: string, use: (native: NativeRegion) => T): T {
    if (this.isClosed) throw new PublicationError('ERR_DISPOSED', `${this.what(operation)}: this region is closed`)
    return attempt(() => use(this.#native))
  }

  what(operation: string): string {
    return `${operation} ${this.plan.subject}`
  }

  address(operation: string): bigint {
    this.check(operation)
    return attempt(() => this.#native.address())
  }

  /** Which byte is at an address of any of its mappings, the end included. */
  offsetOf(operation: string, address: bigint): number | null {
    this.check(operation)
    return address >= 0n && address < ADDRESSES ? attempt(() => this.#native.offsetOf(address)) : null
  }

  handle(): RegionHandle {
    return JSON.parse(this.call('handle', native => native.handle())) as RegionHandle
  }

  bytes(operation: string): Uint8Array {
    this.check(operation)
    if (this.#bytes !== undefined) return this.#bytes
    const message =
      'what is mapped at an address, and is private or a device, cannot be mapped a second time for JavaScript; use read() and write()'
    throw new RegionError('ERR_PRIVATE', `${this.what(operation)}: ${message}`)
  }

  /** Whether it shows this region: the native part copies between places that do not overlap. */
  owns(buffer: ArrayBufferLike): boolean {
    return [this.#pages, this.#shared, ...this.#outgrown].some(pages => pages?.buffer === buffer)
  }

  sharedBuffer(): SharedArrayBuffer {
    this.check('sharedBuffer')
    this.#shared ??= this.#share()
    return this.#shared.buffer as SharedArrayBuffer
  }

  #share(): RegionPages {
    const what = this.what('sharedBuffer')
    this.refuseIfPrivate('sharedBuffer')
    if (this.byteLength % SHARED_UNIT !== 0 && !this.plan.hasTail) {
      const message = `the region has ${this.byteLength} bytes, no multiple of ${SHARED_UNIT}; map it with privateTail: true`
      throw new ArgumentError('ERR_INVALID_SIZE', `${what}: ${message}`)
    }
    const pages = pagesFor(this.plan, what, this.#native, true)
    attempt(() => this.#native.share(pages.whole))
    pages.belongTo(this.#native)
    return pages
  }

  refuseIfPrivate(operation: string): void {
    if (this.plan.sharing === 'shared') return
    throw new RegionError('ERR_PRIVATE', `${this.what(operation)}: the mapping is private, and shares nothing with anybody`)
  }

  /** The old pages are let go of when the new ones are there: what fails changes nothing. */
  resize(byteLength: number): void {
    const old = this.#pages
    const pages =
      old === undefined ? undefined : pagesFor(this.plan, this.what('resize'), { byteLength, byteOffset: this.#native.byteOffset })
    this.call('resize', native => native.resize(byteLength, pages?.whole))
    this.byteLength = byteLength
    if (this.#shared !== undefined) this.#outgrown.push(this.#shared)
    this.#shared = undefined
    if (pages !== undefined) this.#show(pages)
    old?.release()
    old?.forget()
  }

  /** What was mapped stays. */
  detach(): Uint8Array {
    this.call('detach', native => native.detach())
    this.isClosed = true
    const bytes = this.#bytes ?? new Uint8Array()
    for (const pages of this.#letGo()) pages.giveAway()
    return bytes
  }

  /** First nobody can see the pages any more, unless they are not to be detached; then they are no longer the region's. Twice is once. */
  close(detach: boolean): void {
    if (this.isClosed) return
    this.isClosed = true
    if (detach) this.#pages?.release()
    attempt(() => this.#native.close())
    for (const pages of this.#letGo()) pages.forget()
  }

  /** Whoever keeps a closed region keeps no memory of the engine's by that. */
  #letGo(): RegionPages[] {
    if (this.#descriptor !== undefined) takeOut(this.#descriptor)
    const all = [...this.#outgrown.splice(0), this.#shared, this.#pages].filter(pages => pages !== undefined)
    this.#shared = undefined
    this.#pages = undefined
    this.#bytes = undefined
    return all
  }
}

interface Extent {
  readonly byteLength: number
  /** Default: as planned. */
  readonly byteOffset?: number
}

function pagesFor({ native }: MapPlan, what: string, { byteLength, byteOffset = native.byteOffset }: Extent, shared = false): RegionPages {
  return new RegionPages(what, { byteLength, shared, hugeAt: native.hugePages ? byteOffset : undefined })
}
