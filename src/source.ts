import type { Memory } from './struct/memory.js'

/**
 * Where a consumer's values come from. {@link begin} makes one value readable at `byteOffset` of `memory`; it stays as
 * it is until {@link end}.
 */
export interface Source {
  readonly memory: Memory
  readonly byteOffset: number
  readonly byteLength: number
  readonly version: number

  /**
   * 0 or more: there is a value; below 0: a code. Sleeps at most `sliceMs` while there is something to wait for. With
   * `last`, the last value of a publication that ended counts as one.
   */
  begin(sliceMs: number, last: boolean): number
  /**
   * Copies the value's bytes without {@link begin}, where that is sound and quick: their number, and `version` is theirs; below 0: it was
   * not done, and `target` may have been written to. Throws as {@link check}.
   */
  copyAtOnce(target: Uint8Array): number
  /** The value's bytes, not copied. */
  bytes(): Uint8Array
  /** How old the value is. */
  stalenessMs(): number
  /** Throws `ERR_TRUNCATED` if what was read since {@link begin} may be zeros in the place of what another process cut off. */
  check(): void
  /** Lets go of the value, then {@link check}s what was read of it. */
  end(): void
  /** Lets go of a value of which nothing will be used. */
  letGo(): void
}
