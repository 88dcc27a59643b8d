import { checkInteger } from './arguments.js'
import type { Encoding } from './encoding.js'
import { ArgumentError } from './errors.js'
import { Lease } from './lease.js'
import type { Writer } from './writer.js'

/**
 * A buffer to write in place, published when the lock is released: at the end of its scope, also if the scope is left by a throw. Where
 * that must not publish, use `withWrite`, or call {@link WriteLock.abort}.
 *
 * ```ts
 * {
 *   using lock = publisher.writeLock()
 *   lock.value.field2 = 3
 * }
 * ```
 *
 * After {@link WriteLock.release} or {@link WriteLock.abort} everything here but these two throws `ERR_RELEASED`.
 */
export class WriteLock<Live = unknown> {
  readonly #writer: Writer
  readonly #encoding: Encoding
  readonly #index: number
  readonly #lease: Lease
  #byteLength: number
  #value: Live | undefined

  /** @internal */
  constructor(writer: Writer, encoding: Encoding, index: number, byteLength: number) {
    this.#writer = writer
    this.#encoding = encoding
    this.#index = index
    this.#byteLength = byteLength
    this.#lease = new Lease('writeLock', writer, writer.segment, true)
  }

  /** The value in place: set its fields. In a publication of bytes, the same as {@link WriteLock.bytes}. */
  get value(): Live {
    this.#lease.check()
    this.#value ??= this.#encoding.live(this.#writer.segment, this.#index, this.#lease) as Live
    return this.#value
  }

  /** The whole buffer: as many bytes as a value may have. Do not keep the array after the release. */
  get bytes(): Uint8Array {
    this.#lease.check()
    return this.#writer.segment.buffer(this.#index)
  }

  /**
   * How many bytes the release publishes. It begins as the length of the value that the buffer is a copy of, else as all there are. In a
   * publication of bytes it can be set, from 0 to the publication's `byteLength`; a struct has one length only.
   *
   * @throws `ERR_INVALID_ARGUMENT`
   */
  get byteLength(): number {
    this.#lease.check()
    return this.#byteLength
  }

  set byteLength(byteLength: number) {
    this.#lease.check()
    const what = `writeLock ${this.#writer.name}`
    const length = checkInteger(what, 'byteLength', byteLength, 0, this.#encoding.byteLength)
    if (length === undefined || (this.#encoding.schema !== undefined && length !== this.#byteLength)) {
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: byteLength is ${byteLength}, a struct has always ${this.#byteLength}`)
    }
    this.#byteLength = length
  }

  /** Whether the lock is gone. */
  get released(): boolean {
    return this.#lease.isOver
  }

  /**
   * Publishes what was written. After an abort or a first release it does nothing.
   *
   * @throws `ERR_TRUNCATED`, publishing nothing, if another process cut the segment short.
   */
  release(): void {
    if (!this.#lease.end()) return
    this.#writer.commit(this.#byteLength)
  }

  /**
   * Publishes nothing: consumers keep the value from before. Only with `buffers: 1` and `copy: false` there is none to keep, and the
   * publication becomes empty.
   */
  abort(): void {
    if (this.#lease.end()) this.#writer.abort()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
