import { checkBoolean, checkChoice, checkOptions, invalid } from '../arguments.js'
import { checkAnyIndex, checkIndex, outside } from './checks.js'
import type { Access, Advice, FlushOptions } from './map-options.js'
import { ACCESSES } from './map-plan.js'
import type { Paged } from './mapping.js'
import { PAGE_SIZE, pagesOf } from './page-size.js'

const ADVICE: readonly Advice[] = [
  'normal',
  'random',
  'sequential',
  'willneed',
  'dontneed',
  'hugepage',
  'nohugepage',
  'free',
  'cold',
  'pageout',
  'remove',
  'dontfork',
  'dofork',
  'dontdump',
  'dodump',
]

/**
 * Pages of a region that follow one another. It holds no memory of its own, and is of no use after the region was closed.
 *
 * ```ts
 * region.pages.slice(44, 124).protect('r')
 * for (const address of region.pages) console.log(address.toString(16))
 * ```
 *
 * What it does to pages it does to all mappings of them: of {@link Region.bytes}, of {@link Region.sharedBuffer}, and of the one at an address. Everything
 * throws what {@link Region} throws of its memory, `ERR_DISPOSED` once the region is closed, and `ERR_VALUE_RANGE` where a {@link Region.resize} has
 * left fewer pages.
 */
export class PageRange implements Iterable<bigint> {
  readonly #mapping: Paged
  readonly #first: number
  readonly #length: number

  /** @internal */
  constructor(mapping: Paged, first: number, length: number) {
    this.#mapping = mapping
    this.#first = first
    this.#length = length
  }

  /** How many pages. */
  get length(): number {
    return this.#checked('length').#length
  }

  /** Bytes from the beginning of the region to that of the range. */
  get byteOffset(): number {
    return this.#checked('byteOffset').#first * PAGE_SIZE
  }

  /** Bytes of the range: whole pages, so that the last one may have more than the region. */
  get byteLength(): number {
    return this.#checked('byteLength').#length * PAGE_SIZE
  }

  /** Where it begins, in the primary mapping. */
  get address(): bigint {
    return this.#begin('address')
  }

  /** The bytes of these pages, without what is past the end of the region. `ERR_PRIVATE` as {@link Region.bytes}. */
  get bytes(): Uint8Array {
    this.#checked('bytes')
    const start = this.#first * PAGE_SIZE
    return this.#mapping.bytes(this.#what('bytes')).subarray(start, start + this.#length * PAGE_SIZE)
  }

  /**
   * A part of them, as `Array.prototype.slice` has it: pages from `begin`, default 0, to before `end`, default all; negative ones count from the end.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no integer.
   */
  slice(begin?: number, end?: number): PageRange {
    const what = this.#mapping.what('pages.slice')
    const first = this.#clamp(checkAnyIndex(what, 'begin', begin) ?? 0)
    const last = this.#clamp(checkAnyIndex(what, 'end', end) ?? this.#length)
    this.#checked('slice')
    return new PageRange(this.#mapping, this.#first + first, Math.max(0, last - first))
  }

  #clamp(index: number): number {
    return index < 0 ? Math.max(0, this.#length + index) : Math.min(index, this.#length)
  }

  /**
   * The address of one page, negative indexes from the end; `undefined` where there is none.
   *
   * @throws `ERR_INVALID_ARGUMENT` for what is no integer.
   */
  at(index: number): bigint | undefined {
    const at = checkIndex(this.#mapping.what('pages.at'), 'index', index)
    const page = at < 0 ? this.#length + at : at
    const begin = this.#begin('at')
    return page >= 0 && page < this.#length ? begin + BigInt(page * PAGE_SIZE) : undefined
  }

  /** The address of each page. */
  *[Symbol.iterator](): Iterator<bigint> {
    const begin = this.#begin('iterate')
    for (let page = 0; page < this.#length; page++) yield begin + BigInt(page * PAGE_SIZE)
  }

  /**
   * Changes what may be done with the pages (mprotect(2)). What is not allowed throws at the next call: `ERR_READ_ONLY`, `ERR_NO_ACCESS`.
   *
   * @throws `ERR_INVALID_ARGUMENT`; `ERR_PERMISSION` for `w` of what was opened for reading only; `ERR_UNMAPPED`.
   */
  protect(access: Access): void {
    const choice = this.#choice('protect', 'access', access, ACCESSES)
    this.#call('protect', (native, first, count) => native.protect(first, count, choice))
  }

  /**
   * Says how the pages will be used, or takes them away: `'remove'` punches a hole in the object, `'dontneed'` and `'free'` drop what a private mapping
   * has written (madvise(2)).
   *
   * @throws `ERR_INVALID_ARGUMENT` for another word; `ERR_SYSTEM`, or a code that says it better, if the kernel refuses; `ERR_UNMAPPED`.
   */
  advise(advice: Advice): void {
    const choice = this.#choice('advise', 'advice', advice, ADVICE)
    this.#call('advise', (native, first, count) => native.advise(first, count, choice))
  }

  /**
   * Keeps the pages in memory (mlock(2)).
   *
   * @throws `ERR_LOCK_LIMIT`, naming how much this process may lock; `ERR_NO_ACCESS` if the access of one is `'none'`; `ERR_UNMAPPED`.
   */
  lock(): void {
    this.#call('lock', (native, first, count) => native.lock(first, count))
  }

  /**
   * Lets them be paged out again (munlock(2)).
   *
   * @throws `ERR_UNMAPPED`
   */
  unlock(): void {
    this.#call('unlock', (native, first, count) => native.unlock(first, count))
  }

  /**
   * Writes what was changed to the object (msync(2)).
   *
   * @throws `ERR_INVALID_ARGUMENT`; `ERR_SYSTEM` if the device fails; `ERR_UNMAPPED`.
   */
  flush(options?: FlushOptions): void {
    const what = this.#mapping.what('pages.flush')
    const wait = checkBoolean(what, 'wait', checkOptions(what, options, ['wait']).wait) ?? true
    this.#call('flush', (native, first, count) => native.flush(first, count, wait))
  }

  /**
   * Which of the pages are in memory (mincore(2)), one answer for each. They may be elsewhere by the time one looks at it.
   *
   * @throws `ERR_UNMAPPED`
   */
  residency(): boolean[] {
    const answers = new Uint8Array(this.#length)
    this.#call('residency', (native, first, count) => native.residency(first, count, answers))
    return Array.from(answers, answer => answer === 1)
  }

  /**
   * Gives the pages up. Views show zeros there from now on, which belong to this process alone; calls that work on these pages, such as
   * {@link Region.read} and {@link PageRange.protect}, throw `ERR_UNMAPPED`.
   */
  unmap(): void {
    this.#call('unmap', (native, first, count) => native.unmap(first, count))
  }

  #what(operation: string): string {
    return `pages.${operation}`
  }

  #choice<T extends string>(operation: string, argument: string, value: unknown, choices: readonly T[]): T {
    const what = this.#mapping.what(this.#what(operation))
    const choice = checkChoice(what, argument, value, choices)
    if (choice !== undefined) return choice
    throw invalid(what, argument, value, `one of ${choices.join(', ')}`)
  }

  #begin(operation: string): bigint {
    this.#checked(operation)
    return this.#mapping.address(this.#what(operation)) + BigInt(this.#first * PAGE_SIZE)
  }

  /** Itself, if the region still has these pages. */
  #checked(operation: string): this {
    this.#mapping.check(this.#what(operation))
    const end = this.#first + this.#length
    const pages = pagesOf(this.#mapping.byteLength)
    if (end <= pages) return this
    throw outside(this.#mapping.what(this.#what(operation)), 'the end', end, `at most ${pages}, the region's pages`)
  }

  #call(operation: string, use: (native: NativePages, first: number, count: number) => void): void {
    this.#checked(operation)
    if (this.#length > 0) this.#mapping.call(this.#what(operation), native => use(native, this.#first, this.#length))
  }
}

type NativePages = Parameters<Parameters<Paged['call']>[1]>[0]
