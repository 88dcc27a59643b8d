import { attempt, PublicationError } from '../errors.js'
import type { NativeDescriptor } from '../native.js'
import type { MapOptions } from './map-options.js'
import { Region } from './region.js'
import { handles } from './shared-handle.js'

/**
 * A descriptor that was received, and is closed with this object.
 *
 * It leads to the same open file description as the sender's: its locks (fcntl(2), flock(2)) are the sender's, too, so whoever wants to lock opens
 * `/proc/self/fd/NUMBER` again.
 */
export class Descriptor {
  readonly #native: NativeDescriptor
  readonly #name: string
  #isClosed = false

  /** @internal */
  constructor(native: NativeDescriptor, name: string) {
    this.#native = native
    this.#name = name
    const descriptor = (operation: string) => this.#use(operation).fd()
    handles.set(this, { name, named: undefined, writable: native.isWritable, reserve: false, descriptor })
  }

  #use(operation: string): NativeDescriptor {
    if (this.#isClosed) throw new PublicationError('ERR_DISPOSED', `${operation} ${this.#name}: this descriptor is closed`)
    return this.#native
  }

  /** Its number, which stays this object's to close: for `fstatSync`, or for a child's `stdio`. */
  get fd(): number {
    return attempt(() => this.#use('fd').fd())
  }

  /** Its number, which is the caller's to close from now on, with `closeSync`. */
  take(): number {
    const fd = attempt(() => this.#use('take').take())
    this.#isClosed = true
    return fd
  }

  /**
   * As {@link Region.map} with this as its source: the region does without it from then on. `access` is by default `'rw'` where it can be mapped so,
   * and `'r'` where it was opened to be read, or is sealed.
   */
  map(options?: Omit<MapOptions, 'source'>): Region {
    return Region.map({ ...options, source: this })
  }

  /** Whether it was closed or taken. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** Closes it. Twice is once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    attempt(() => this.#native.close())
  }

  /** As {@link Descriptor.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}
