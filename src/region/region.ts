import { checkBoolean, checkOptions } from '../arguments.js'
import { LockError } from '../errors.js'
import { checkAnyIndex, checkIndex, checkPointer, checkSize, needSize, outside } from './checks.js'
import { Cursor } from './cursor.js'
import { type FromHandleOptions, planOfHandle, type RegionHandle } from './handle.js'
import type { Access, Detached, FlushOptions, MapOptions, RegionCloseOptions, ReserveOptions } from './map-options.js'
import { planOf } from './map-plan.js'
import { Mapping } from './mapping.js'
import { Overlay } from './overlay.js'
import type { LendableArray, OverlayOptions } from './overlay-options.js'
import { PageRange } from './page-range.js'
import { pagesOf } from './page-size.js'
import { mappings } from './region-handle.js'
import { Reservation } from './reservation.js'
import { checkSeals, type Seal } from './seals.js'
import { type ViewConstructor, viewOf } from './typed-view.js'

/**
 * Mapped memory: of a file, a device, an object of shared memory, a SysV segment, or of nothing but zeros.
 *
 * ```ts
 * using region = Region.map({ source: { file: 'image.bin' }, access: 'r' })
 * console.log(region.bytes[0], region.byteLength)
 * ```
 *
 * Whatever happens to the memory, the process lives, and the next use of the region says what it was; uses are all members but
 * `closed` and `close`:
 *
 * - `ERR_TRUNCATED`, from then on, after another process cut the file short. Views show zeros.
 * - `ERR_READ_ONLY`, once, after something was written through a view where `access` has no `w`. Nobody else sees it, and neither does a view
 *   after that; only in a private mapping it stays.
 * - `ERR_NO_ACCESS`, once, after a page with access `'none'` was touched.
 * - `ERR_DISPOSED` after {@link Region.close} and {@link Region.detach}.
 *
 * A region that nobody can reach any more, nor any of its views, is closed by the garbage collector; with Bun, whose allocator would use memory that a file
 * is still mapped over, only when its thread ends: close it.
 */
export class Region {
  readonly #mapping: Mapping
  readonly #cursor: Cursor

  private constructor(mapping: Mapping) {
    this.#mapping = mapping
    this.#cursor = new Cursor(mapping)
    mappings.set(this, mapping)
  }

  /**
   * Maps memory (mmap(2)). What fails leaves nothing behind, but for an empty file, which may be longer by then.
   *
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_NAME`; `ERR_INVALID_SIZE` if the size is missing, no size, or more than the object has;
   * `ERR_NOT_FOUND`, `ERR_PERMISSION`, `ERR_READ_ONLY_FILESYSTEM`; `ERR_NO_SPACE` for what is reserved; `ERR_ADDRESS_IN_USE`;
   * `ERR_ADDRESS_SPACE` if there is no room for it, or more than 4 GiB where the engine has no memory of that size (before Node 22, and in Bun):
   * map parts of a file or a `SharedMemory` then; `ERR_TOO_MANY_FILES`, `ERR_LOCK_LIMIT`, `ERR_NO_ACCESS`, `ERR_HUGE_PAGES`;
   * `ERR_ENGINE_PAGES_UNAVAILABLE` without WebAssembly; `ERR_SYSTEM` for all else.
   */
  static map(options: MapOptions): Region {
    return new Region(Mapping.make(planOf(options)))
  }

  /**
   * Maps what a {@link Region.handle} names, at the same address as in the process that made it: an absolute address that is stored in the region means
   * the same byte here. As many bytes as the region had then. Whatever was done to single pages there is not done here.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no handle, which it names, and for a descriptor of another object; `ERR_ADDRESS_IN_USE` if anything is at
   * the address, as in the process that has the region already; `ERR_NOT_FOUND` if the object cannot be had: its name is gone and so is whoever made
   * the handle, or a SysV segment is gone or in another IPC namespace; `ERR_REPLACED` if only the name leads to another object by now, or the id to a segment
   * that was made, or whose owner or permissions were set, after the handle; `ERR_PERMISSION`, also for the descriptor of another user's process: hand one
   * on; `ERR_TRUNCATED` if the object is shorter by now; and as {@link Region.map}. Nothing is overwritten, nothing left behind.
   */
  static fromHandle(handle: RegionHandle, options?: FromHandleOptions): Region {
    return new Region(Mapping.make(planOfHandle(handle, options)))
  }

  /**
   * Maps memory over an array that is there already: over the whole pages that lie within its bytes. Others see these bytes, and the array theirs, until
   * {@link Overlay.close}.
   *
   * ```ts
   * const batch = new Float32Array(65_536 / 4)
   * using overlay = Region.overlay(batch, { source: 'memfd' })
   * batch.fill(1.5, overlay.byteOffset / 4) // seen by whoever maps overlay.fd
   * ```
   *
   * An array begins wherever its allocator put it: with one page more than what is to be shared, enough lies within. Of a view of a larger buffer only
   * its own bytes count.
   *
   * While the array is overlaid, its buffer cannot be taken away: `transfer()`, and a transfer by `structuredClone`, by a message or by a stream, throw
   * or, on Node 20, copy. On Node 20 and 22 that stays so after {@link Overlay.close}, and Node 22 can do it only for a buffer of a power of two
   * from 2^12 to 2^24 bytes, or of a multiple of 2^24. Bun cannot: there it is `ERR_UNSUPPORTED`.
   *
   * @param array A typed array or `DataView` of a plain `ArrayBuffer`. One that an addon made of its own memory is not told apart: the addon must leave
   * it where it is as long as the array is there.
   * @throws `ERR_INVALID_ARGUMENT` for anything else: what is detached, resizable, a `SharedArrayBuffer`, WebAssembly's or a region's memory;
   * `ERR_INVALID_SIZE` if no whole page lies within, fewer than `size` asks for, or the object has fewer bytes; `ERR_ADDRESS_IN_USE` if another
   * overlay or a file is there; `ERR_READ_ONLY` for `keep` without `w`; `ERR_UNSUPPORTED`; and what {@link Region.map} throws. Then the array is as it was.
   */
  static overlay<A extends LendableArray>(array: A, options?: OverlayOptions): Overlay<A> {
    return Overlay.make(array, options)
  }

  /**
   * Reserves address space, without memory, to map regions into (mmap(2), `PROT_NONE`).
   *
   * @param size Bytes; rounded up to whole pages.
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_SIZE`; `ERR_ADDRESS_IN_USE` if anything is at `address`; `ERR_ADDRESS_SPACE`.
   */
  static reserve(size: number, options?: ReserveOptions): Reservation {
    return Reservation.make(size, options)
  }

  /** Bytes: what was asked for, not rounded. */
  get byteLength(): number {
    this.#mapping.check('byteLength')
    return this.#mapping.byteLength
  }

  /** Where the primary mapping begins: the one at {@link MapOptions.address}, or that others are told of by {@link Region.handle}, or else {@link Region.bytes}. */
  get address(): bigint {
    return this.#mapping.address('address')
  }

  /** What may be done with the pages, as it was asked for; {@link PageRange.protect} changes it for some of them. */
  get access(): Access {
    this.#mapping.check('access')
    return this.#mapping.plan.access
  }

  /** Whether others see what is written. */
  get sharing(): 'shared' | 'private' {
    this.#mapping.check('sharing')
    return this.#mapping.plan.sharing
  }

  /** Bytes into the object where the region begins. */
  get byteOffset(): number {
    this.#mapping.check('byteOffset')
    return this.#mapping.plan.native.byteOffset
  }

  /**
   * The descriptor of the object, to be handed to a child by its `stdio`. It stays the region's, which closes it.
   *
   * @throws `ERR_TOO_MANY_FILES` if it was given up, because too many regions came later, before it was asked for; `ERR_UNSUPPORTED` of a SysV segment, which has none.
   */
  get fd(): number {
    this.#mapping.check('fd')
    return this.#mapping.call('fd', native => native.fd())
  }

  /**
   * Names the region for other processes, which map it at the same address by {@link Region.fromHandle}.
   *
   * The first time, a region that has neither an address nor `placement: 'portable'` is mapped once more (mmap(2)), where most likely
   * nothing is in any process: that is its {@link Region.address} from then on, and it stays there when it is resized. {@link Region.offsetOf} goes on knowing
   * the addresses of before, which mean nothing to others: store none in the region before that. A region at an address that was asked for keeps it.
   *
   * @throws `ERR_PRIVATE` for a private mapping and a device; `ERR_TOO_MANY_FILES` as {@link Region.fd}; `ERR_ADDRESS_SPACE`; `ERR_LOCK_LIMIT` and
   * `ERR_HUGE_PAGES` if the region was mapped with `lock` and `hugePages`; `ERR_PERMISSION` if it may be written, and was sealed against that (`future-write`)
   * before it was placed; `ERR_NOT_FOUND` for a SysV segment that is gone, as all its pages were given up. Then all is as it was.
   */
  handle(): RegionHandle {
    return this.#mapping.handle()
  }

  /**
   * What the object is sealed against (fcntl(2), `F_GET_SEALS`): nothing, where it is no memfd. Seals are never taken away: whoever received a memfd and
   * finds `shrink` among them knows that nobody can cut it short.
   *
   * @throws `ERR_TOO_MANY_FILES` as {@link Region.fd}.
   */
  get seals(): Seal[] {
    this.#mapping.check('seals')
    return this.#mapping.call('seals', native => native.seals()) as Seal[]
  }

  /**
   * Seals the object, for everybody and for ever (fcntl(2), `F_ADD_SEALS`). What is mapped before `future-write` can be written after it; a second mapping to be written,
   * such as {@link Region.sharedBuffer} at its first use or {@link Region.resize} makes, cannot be made any more.
   *
   * @throws `ERR_BUSY` for `write` while it is mapped to be written, by this region or by another one; `ERR_PERMISSION` if it takes no more seals, as
   * an object of shared memory, or was opened to be read only; `ERR_INVALID_ARGUMENT` for what is no seal, and if it is no memfd; `ERR_TOO_MANY_FILES`.
   */
  seal(seals: readonly Seal[]): void {
    const wanted = checkSeals(this.#mapping.what('seal'), seals)
    this.#mapping.check('seal')
    this.#mapping.call('seal', native => native.seal(wanted))
  }

  /**
   * The bytes, where they are. The same array each time; {@link Region.close} and {@link Region.resize} give it length 0 (of more than 4 GiB on Node 22, where
   * nothing can, it shows zeros instead). It keeps the region alive. Its `buffer` is longer.
   *
   * @throws `ERR_PRIVATE` for a private mapping at an address.
   */
  get bytes(): Uint8Array {
    return this.#mapping.bytes('bytes')
  }

  /**
   * The same pages once more, for workers and `Atomics.wait`; mapped at first use, and the same buffer each time until {@link Region.resize}. It is a multiple of
   * 64 KiB long, so it may be longer than the region. After {@link Region.close} it shows zeros. Copying through it is slow in V8: use {@link Region.bytes}.
   *
   * @throws `ERR_PRIVATE` for a private mapping; `ERR_INVALID_SIZE` for a size that is no multiple of 64 KiB, unless it is anonymous memory or mapped with
   * `privateTail`; `ERR_ADDRESS_SPACE`; `ERR_TOO_MANY_FILES` as {@link Region.fd}.
   */
  get sharedBuffer(): SharedArrayBuffer {
    return this.#mapping.sharedBuffer()
  }

  /** All pages. */
  get pages(): PageRange {
    this.#mapping.check('pages')
    return new PageRange(this.#mapping, 0, pagesOf(this.#mapping.byteLength))
  }

  /**
   * A typed view of the bytes, where they are: `region.view(Float64Array, 16, 4)`. The rules are those of the constructors.
   *
   * @param byteOffset Where it begins, default 0; negative from the end.
   * @param length In elements, of a `DataView` in bytes. Default: all that is left.
   * @throws `ERR_INVALID_ARGUMENT` for what is no such constructor or number, or not aligned to the element; `ERR_VALUE_RANGE` outside the region;
   * `ERR_INVALID_SIZE` if what is left is no whole number of elements; `ERR_PRIVATE` as {@link Region.bytes}.
   */
  view<C extends ViewConstructor>(type: C, byteOffset = 0, length?: number): C['prototype'] {
    return viewOf(this.#mapping.what('view'), type, byteOffset, length, () => this.#mapping.bytes('view'))
  }

  /**
   * A part of {@link Region.bytes}, as `subarray` has it: from `begin`, default 0, to before `end`, default the end; negative ones count from the end.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no integer; `ERR_PRIVATE`.
   */
  at(begin?: number, end?: number): Uint8Array {
    const what = this.#mapping.what('at')
    const [from, to] = [checkAnyIndex(what, 'begin', begin), checkAnyIndex(what, 'end', end)]
    return this.#mapping.bytes('at').subarray(from, to)
  }

  /**
   * The bytes from one address to before another one, as {@link Region.offsetOf} knows them. Default of `end`: the end of the region.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no bigint; `ERR_VALUE_RANGE` outside the region; `ERR_PRIVATE`.
   */
  absoluteAt(begin: bigint, end?: bigint): Uint8Array {
    const from = this.#offsetOf('absoluteAt', 'begin', begin)
    const to = end === undefined ? this.#mapping.byteLength : this.#offsetOf('absoluteAt', 'end', end)
    return this.#mapping.bytes('absoluteAt').subarray(from, to)
  }

  /**
   * The address of a byte of the primary mapping, or of the end.
   *
   * @param byteOffset From 0 to {@link Region.byteLength}; negative from the end.
   * @throws `ERR_INVALID_ARGUMENT` for what is no integer; `ERR_VALUE_RANGE` outside.
   */
  addressOf(byteOffset: number): bigint {
    const what = this.#mapping.what('addressOf')
    const offset = checkIndex(what, 'byteOffset', byteOffset)
    const address = this.#mapping.address('addressOf')
    const { byteLength } = this.#mapping
    const from = offset < 0 ? byteLength + offset : offset
    if (from < 0 || from > byteLength) throw outside(what, 'byteOffset', offset, `one from -${byteLength} to ${byteLength}`)
    return address + BigInt(from)
  }

  /**
   * The reverse of {@link Region.addressOf}. Addresses of the region's other mappings are known, too.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no bigint; `ERR_VALUE_RANGE` for an address outside, the end excepted.
   */
  offsetOf(address: bigint): number {
    return this.#offsetOf('offsetOf', 'address', address)
  }

  #offsetOf(operation: string, argument: string, address: unknown): number {
    const what = this.#mapping.what(operation)
    const offset = this.#mapping.offsetOf(operation, checkPointer(what, argument, address))
    if (offset !== null) return offset
    throw outside(
      what,
      argument,
      address,
      `one in the ${this.#mapping.byteLength} bytes from the bigint ${this.#mapping.address(operation)} on`,
    )
  }

  /**
   * A copy of the bytes from the cursor on, which it moves: `byteLength` of them, or fewer at the end. Default: all that are left. It works where there are no views, too.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no count; `ERR_INVALID_SIZE` for more than an array can have; `ERR_UNMAPPED`, `ERR_NO_ACCESS`.
   */
  read(byteLength?: number): Uint8Array {
    return this.#cursor.read(byteLength)
  }

  /**
   * Copies bytes from the cursor on, which it moves, into `target`; the number of them: fewer than it has room for at the end.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no Uint8Array, or a detached one; `ERR_UNMAPPED`, `ERR_NO_ACCESS`.
   */
  readInto(target: Uint8Array): number {
    return this.#cursor.readInto(target)
  }

  /**
   * Writes the bytes at the cursor, which it moves; the number of them: all.
   *
   * @throws `ERR_INVALID_SIZE`, writing nothing, if they do not fit; `ERR_INVALID_ARGUMENT` for what is no Uint8Array, or a detached one;
   * `ERR_READ_ONLY`, `ERR_UNMAPPED`, `ERR_NO_ACCESS`.
   */
  write(source: Uint8Array): number {
    return this.#cursor.write(source)
  }

  /**
   * Moves the cursor; where it is then.
   *
   * @param whence What `byteOffset` is counted from. Default `'start'`.
   * @throws `ERR_INVALID_ARGUMENT`; `ERR_VALUE_RANGE`, moving nothing, outside 0 to {@link Region.byteLength}.
   */
  seek(byteOffset: number, whence?: 'start' | 'current' | 'end'): number {
    return this.#cursor.seek(byteOffset, whence)
  }

  /** Where the cursor is: bytes from the beginning. */
  tell(): number {
    this.#mapping.check('tell')
    return this.#cursor.position
  }

  /** As {@link PageRange.flush} of all pages. */
  flush(options?: FlushOptions): void {
    this.pages.flush(options)
  }

  /**
   * Makes the region and its object longer or shorter (ftruncate(2)); an object that cannot be cut, as anonymous memory, stays as long as it is, and gives its
   * room back. The bytes of before get length 0; shared buffers of before see what is left, and zeros past it.
   * Pages that {@link PageRange.protect} changed, or that were given up, stay so; new ones have {@link Region.access}.
   *
   * @param size Bytes; the object ends {@link Region.byteOffset} further on.
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_SIZE`; `ERR_PRIVATE`; `ERR_READ_ONLY` where {@link Region.access} has no `w`; `ERR_ADDRESS_IN_USE` if it
   * cannot grow where it is, and always of one in a {@link Reservation}: close it, and map another one there; `ERR_TOO_MANY_FILES` as {@link Region.fd};
   * `ERR_NO_SPACE`, `ERR_ADDRESS_SPACE`, `ERR_PERMISSION`; `ERR_LOCK_LIMIT` and `ERR_HUGE_PAGES` if it was mapped with `lock` and `hugePages`; `ERR_UNSUPPORTED`
   * of a SysV segment. Then all is as it was.
   */
  resize(size: number): void {
    const what = this.#mapping.what('resize')
    const byteLength = needSize(what, checkSize(what, size), 'expected a number of bytes')
    this.#mapping.check('resize')
    this.#mapping.refuseIfPrivate('resize')
    const { access } = this.#mapping.plan
    if (!access.includes('w')) throw new LockError('ERR_READ_ONLY', `${what}: the region was mapped with access ${access}`)
    this.#mapping.resize(byteLength)
    this.#cursor.clamp()
  }

  /**
   * Gives up ownership: the mapping stays for the rest of the process (the bytes of a worker: of the worker), and the region is closed. For memory
   * whose address was told to somebody who cannot say when he is done with it.
   */
  detach(): Detached {
    const { address, byteLength } = this
    return { address, byteLength, bytes: this.#mapping.detach() }
  }

  /** Whether it was closed or detached. */
  get closed(): boolean {
    return this.#mapping.isClosed
  }

  /**
   * Gives the memory back (munmap(2)). Views get length 0, or show zeros: see {@link RegionCloseOptions.detach}; shared buffers always show zeros. Twice is once.
   *
   * While `zlib` or a stream of `fs` works on {@link Region.bytes}, close with `detach: false`: both look at their input again, and if it was detached, `zlib` ends the
   * job, or the process, and the stream never ends.
   *
   * @throws `ERR_INVALID_ARGUMENT`
   */
  close(options?: RegionCloseOptions): void {
    const what = this.#mapping.what('close')
    this.#mapping.close(checkBoolean(what, 'detach', checkOptions(what, options, ['detach']).detach) ?? true)
  }

  /** As {@link Region.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}
