import { checkBoolean, checkOptions, readOptions } from '../arguments.js'
import { LockError } from '../errors.js'
import { lendable } from './lendable.js'
import type { Access, FlushOptions } from './map-options.js'
import { planOf } from './map-plan.js'
import { OverlayMapping } from './overlay-mapping.js'
import type { LendableArray, OverlayCloseOptions, OverlayOptions } from './overlay-options.js'
import { PageRange } from './page-range.js'
import { pagesOf } from './page-size.js'
import { mappings } from './region-handle.js'
import { type ViewConstructor, viewOf } from './typed-view.js'

const OPTIONS = ['size', 'source', 'access', 'offset', 'reserve', 'keep'] as const

/**
 * Shared memory over an array that was there before: see {@link Region.overlay}.
 *
 * Whatever happens to the memory, the process lives, and the next use of the overlay says what it was, as that of a {@link Region} does: `ERR_TRUNCATED`,
 * `ERR_READ_ONLY`, `ERR_NO_ACCESS`; `ERR_DISPOSED` after {@link Overlay.close}. Uses are all members but `array`, `closed` and `close`.
 *
 * An overlay that nobody closes stays until its thread ends, and so does its array; then private zeros take its place before the engine frees the memory.
 */
export class Overlay<A extends LendableArray = LendableArray> {
  /** The array. Closed or not, it is the caller's. */
  readonly array: A
  readonly #mapping: OverlayMapping
  readonly #byteOffset: number

  /** @internal */
  static make<A extends LendableArray>(array: A, options: OverlayOptions | undefined): Overlay<A> {
    const { keep: wish, ...given } = readOptions('overlay', options, OPTIONS)
    const keep = checkBoolean('overlay', 'keep', wish) ?? false
    const lent = lendable('overlay', array, given.size)
    const plan = planOf({ ...given, size: lent.byteLength })
    if (keep && !plan.access.includes('w')) {
      throw new LockError('ERR_READ_ONLY', `overlay ${plan.subject}: what is in the array cannot be kept with access ${plan.access}`)
    }
    return new Overlay(array, OverlayMapping.make(plan, lent, keep), lent.byteOffset)
  }

  private constructor(array: A, mapping: OverlayMapping, byteOffset: number) {
    this.array = array
    this.#mapping = mapping
    this.#byteOffset = byteOffset
    mappings.set(this, mapping)
  }

  /** Bytes from the array's first one to the first one that is shared: a multiple of the size of its elements. */
  get byteOffset(): number {
    this.#mapping.check('byteOffset')
    return this.#byteOffset
  }

  /** Bytes that are shared: what was asked for. */
  get byteLength(): number {
    this.#mapping.check('byteLength')
    return this.#mapping.byteLength
  }

  /** Where the first shared byte is. */
  get address(): bigint {
    return this.#mapping.address('address')
  }

  /** What may be done with the pages, as it was asked for; {@link PageRange.protect} changes it for some of them. */
  get access(): Access {
    this.#mapping.check('access')
    return this.#mapping.plan.access
  }

  /** As {@link Region.fd}. */
  get fd(): number {
    this.#mapping.check('fd')
    return this.#mapping.call('fd', native => native.fd())
  }

  /** The part of the array that is shared. The same view each time. After {@link Overlay.close} it stays a view of the array. */
  get bytes(): Uint8Array {
    return this.#mapping.bytes('bytes')
  }

  /** All its pages. */
  get pages(): PageRange {
    this.#mapping.check('pages')
    return new PageRange(this.#mapping, 0, pagesOf(this.#mapping.byteLength))
  }

  /**
   * A typed view of {@link Overlay.bytes}: `overlay.view(Float32Array)`. As {@link Region.view}.
   *
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_VALUE_RANGE`, `ERR_INVALID_SIZE`.
   */
  view<C extends ViewConstructor>(type: C, byteOffset = 0, length?: number): C['prototype'] {
    return viewOf(this.#mapping.what('view'), type, byteOffset, length, () => this.#mapping.bytes('view'))
  }

  /** As {@link PageRange.flush} of all pages. */
  flush(options?: FlushOptions): void {
    this.pages.flush(options)
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#mapping.isClosed
  }

  /**
   * Gives the array memory of its own again, in one step (mremap(2), or mmap(2) for zeros): no other thread sees it without. Twice is once.
   *
   * To the kernel, what is kept stays a mapping of its own (of as many as vm.max_map_count allows) until the engine's allocator gives the memory back to the
   * system, which that of small arrays (of less than 128 KiB, as a rule) seldom does; zeros do not.
   *
   * @throws `ERR_INVALID_ARGUMENT`; `ERR_ADDRESS_SPACE` if there is no memory for that: then it stays as it was. `ERR_UNMAPPED` if somebody detached the
   * array in spite of all: then nothing is given back, and what is mapped stays for the rest of the process.
   */
  close(options?: OverlayCloseOptions): void {
    const what = this.#mapping.what('close')
    this.#mapping.close(checkBoolean(what, 'keep', checkOptions(what, options, ['keep']).keep) ?? true)
  }

  /** As {@link Overlay.close} without options: the array keeps what it shows. */
  [Symbol.dispose](): void {
    this.close()
  }
}
