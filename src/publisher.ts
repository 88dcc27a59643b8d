import {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkInteger,
  checkMode,
  checkOptions,
  checkSignal,
  checkTimeout,
  invalid,
  isPromise,
  promiseReturned,
} from './arguments.js'
import { checkType, type Encoding, encodingOf, type PublicationType } from './encoding.js'
import { EnginePages } from './engine-pages.js'
import { attempt } from './errors.js'
import { existingPlaceOf, inDirectory, type Location, type NewLocation, type Place, placeOf } from './location.js'
import { NativePublisher } from './native.js'
import type { CloseOptions, CreateOptions, StandbyOptions, WriteLockOptions, WriteOptions } from './publisher-options.js'
import { standBy } from './standby.js'
import type { InferInput, InferLive, Struct } from './struct/index.js'
import { WriteLock } from './write-lock.js'
import { Writer } from './writer.js'

const CREATE_OPTIONS = ['init', 'buffers', 'maxConsumers', 'mode', 'ifDead', 'directory', 'timeout'] as const
const STANDBY_OPTIONS = [...CREATE_OPTIONS, 'signal'] as const
const WRITE_OPTIONS = ['timeout'] as const
const LOCK_OPTIONS = ['timeout', 'copy'] as const
const CLOSE_OPTIONS = ['keep'] as const
const MOST_BUFFERS = 63
const MOST_CONSUMERS = 1024

/**
 * The one publisher of a publication: it alone writes the value that consumers read.
 *
 * ```ts
 * using pose = Publisher.create('pose', struct({ x: f64, y: f64 }), { init: { x: 0, y: 0 } })
 * pose.write({ x: 1, y: 2 })
 * pose.update({ y: 3 })
 * ```
 *
 * A process that ends without {@link Publisher.close}, in whatever way, leaves the segment to be adopted. After `close` all that would
 * write throws `ERR_DISPOSED`.
 */
export class Publisher<T extends PublicationType = PublicationType> {
  readonly #encoding: Encoding
  readonly #writer: Writer

  private constructor(encoding: Encoding, writer: Writer) {
    this.#encoding = encoding
    this.#writer = writer
  }

  /**
   * Makes the publication, or takes over what a publisher that is gone left. Consumers see the segment whole or not at all.
   *
   * @param location Its name, `{ memfd }` or `{ fd }`: see {@link NewLocation}. Where `{ fd }` leads there must be what an earlier publisher left.
   * @param type A `struct({ … })`, or `bytes(n)` for values of at most n bytes.
   * @throws `ERR_PUBLISHER_EXISTS` while another publisher of that name lives, naming its process; `ERR_LOCK_OBSTRUCTED` while a process that
   * is not attached holds a read lock (fcntl(2)) where the publisher's would be; `ERR_ALREADY_EXISTS`; `ERR_NOT_FOUND` if there is no such
   * directory; `ERR_NOT_A_SEGMENT` if the name is that of something else; where the system refuses, `ERR_NO_SPACE`, `ERR_PERMISSION`,
   * `ERR_READ_ONLY_FILESYSTEM`, `ERR_TOO_MANY_FILES` and `ERR_ADDRESS_SPACE`; `ERR_SCHEMA_MISMATCH` if a descriptor leads to a publication of another
   * type or size; `ERR_INVALID_NAME`, `ERR_INVALID_TYPE`, `ERR_INVALID_ARGUMENT` and those of {@link Publisher.write} for `init`. What fails leaves nothing behind.
   */
  static create<T extends PublicationType>(location: NewLocation, type: T, options?: CreateOptions<T>): Publisher<T> {
    const place = placeOf('create', location)
    const what = `create ${place.label}`
    checkType(what, type)
    const { timeout, ...choices } = checkCreation(what, place, checkOptions(what, options, CREATE_OPTIONS))
    return Publisher.#maker<T>('create', type, choices, timeout)()
  }

  /**
   * As {@link Publisher.create}, as soon as no living publisher has the name: at once, or within some 5 ms after the one that has it closes or
   * dies. Of several that stand by one becomes the publisher, the others go on waiting, as does one that a stranger's read lock keeps out.
   * The event loop is free meanwhile, and kept alive; the kernel is asked every 5 ms (fcntl(2), F_OFD_GETLK), which costs the living
   * publisher nothing.
   *
   * Without `init` an adopted segment keeps its last value. `init` is taken as it is at the call, and waits for readers as
   * {@link Publisher.write} does.
   *
   * ```ts
   * using pose = await Publisher.standby('pose', struct({ x: f64, y: f64 }), { signal })
   * ```
   *
   * @throws (rejects) as {@link Publisher.create}, except `ERR_PUBLISHER_EXISTS` and `ERR_LOCK_OBSTRUCTED`; `ERR_TIMEOUT`, naming the
   * process of the publisher that lives; `ERR_ABORTED`.
   */
  static async standby<T extends PublicationType>(location: Location, type: T, options?: StandbyOptions<T>): Promise<Publisher<T>> {
    const place = existingPlaceOf('standby', location)
    const what = `standby ${place.label}`
    checkType(what, type)
    const given = checkOptions(what, options, STANDBY_OPTIONS)
    const { timeout, ...choices } = checkCreation(what, place, given)
    const take = Publisher.#maker<T>('standby', type, choices)
    return standBy({ what, at: choices.place.native, take, timeout, signal: checkSignal(what, given.signal) })
  }

  // Everything is checked; what it returns only makes, as often as it is called.
  static #maker<T extends PublicationType>(
    operation: string,
    type: T,
    { init, place, ...choices }: Omit<Creation<T>, 'timeout'>,
    timeout?: number,
  ): () => Publisher<T> {
    const what = `${operation} ${place.label}`
    const encoding = encodingOf(type)
    const first = init === undefined ? undefined : encoding.initial(what, init)
    const { byteLength, schema } = encoding
    const plan = { ...choices, at: place.native, byteLength, schema, init: first }
    // Before the segment is made: if there are no pages, what stands in its place is not to be lost.
    const pages = new EnginePages(
      what,
      attempt(() => NativePublisher.segmentBytes(plan)),
    )
    return () => {
      const native = attempt(() => NativePublisher.create(plan))
      const writer = writerOf(place.label, native, pages)
      try {
        if (native.adopted && first !== undefined) writer.write(operation, first, first.length, timeout)
        return new Publisher<T>(encoding, writer)
      } catch (error) {
        writer.abandon() // what was adopted can be adopted again
        throw error
      }
    }
  }

  /** The name of the segment, or what messages call it where it has none. */
  get name(): string {
    return this.#writer.name
  }

  /** The descriptor of the segment, to be handed on: to a child by its `stdio`, or over a socket. It stays the publisher's, which closes it. */
  get fd(): number {
    return this.#writer.fd
  }

  /** How many values the segment has room for. */
  get buffers(): number {
    return this.#writer.segment.layout.bufferCount
  }

  /** How many consumers may be attached at once. */
  get maxConsumers(): number {
    return this.#writer.segment.layout.maxConsumers
  }

  /** Most bytes of a value; of a struct, all of them. */
  get byteLength(): number {
    return this.#encoding.byteLength
  }

  /** Whether an earlier publisher's segment was taken over, with the consumers that are attached to it. */
  get adopted(): boolean {
    return this.#writer.adopted
  }

  /** Values published so far, those of earlier publishers of the same segment included. */
  get totalWrites(): number {
    return this.#writer.totalWrites
  }

  /** Whether this publisher was closed. */
  get closed(): boolean {
    return this.#writer.isClosed
  }

  /**
   * Publishes a value: every field of a struct, or bytes. All of it is checked before anything is written.
   *
   * @throws `ERR_MISSING_FIELD`, `ERR_UNKNOWN_FIELD`, `ERR_VALUE_RANGE`, and for bytes `ERR_INVALID_ARGUMENT` and `ERR_INVALID_SIZE`;
   * `ERR_BUSY` or `ERR_TIMEOUT`, see {@link WriteOptions.timeout}, or in their place `ERR_LOCK_OBSTRUCTED` if who holds a buffer is dead, and a
   * read lock of a process that is not attached keeps it from being taken back; `ERR_ALREADY_LOCKED` while a write lock is held; `ERR_TRUNCATED`, as
   * everything that writes from then on, if another process cut the segment short.
   */
  write(value: InferInput<T>, options?: WriteOptions): void {
    this.#writer.check('write')
    this.#encoding.write(this.#writer, value, options === undefined ? undefined : this.#timeoutOf('write', options))
  }

  /**
   * Publishes the current value with some of its fields changed.
   *
   * @throws as {@link Publisher.write}; `ERR_EMPTY` if nothing was published yet; `ERR_INVALID_TYPE` in a publication of bytes.
   */
  update(value: T extends Struct ? Partial<InferInput<T>> : never, options?: WriteOptions): void {
    this.#writer.check('update')
    this.#encoding.update(this.#writer, value, options === undefined ? undefined : this.#timeoutOf('update', options))
  }

  /**
   * Calls `change` with the value in place and publishes it when that returns. If it throws, nothing is published.
   *
   * @param change Gets the live value, and the lock for its other members. It must not be asynchronous.
   * @returns What `change` returns.
   * @throws `ERR_PROMISE_RETURNED`, publishing nothing, if that is a promise; `ERR_BUSY`, `ERR_TIMEOUT`, `ERR_ALREADY_LOCKED`.
   */
  withWrite<R>(change: (value: InferLive<T>, lock: WriteLock<InferLive<T>>) => R, options?: WriteLockOptions): R {
    const what = `withWrite ${this.name}`
    checkFunction(what, 'change', change)
    const lock = this.#lock('withWrite', options)
    try {
      const result = change(lock.value, lock)
      if (isPromise(result)) throw promiseReturned(what, result)
      lock.release()
      return result
    } catch (error) {
      lock.abort()
      throw error
    }
  }

  /**
   * A buffer to write in place, published when it is released.
   *
   * @throws `ERR_BUSY`, `ERR_TIMEOUT`, `ERR_ALREADY_LOCKED`.
   */
  writeLock(options?: WriteLockOptions): WriteLock<InferLive<T>> {
    return this.#lock('writeLock', options)
  }

  /**
   * Ends the publication: consumers are told, and the name is removed. A write lock that is held is aborted. Twice is once.
   *
   * @throws `ERR_INVALID_ARGUMENT`
   */
  close(options?: CloseOptions): void {
    const what = `close ${this.name}`
    const { keep } = checkOptions(what, options, CLOSE_OPTIONS)
    this.#writer.close(checkBoolean(what, 'keep', keep) ?? false)
  }

  /** As {@link Publisher.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #timeoutOf(operation: string, options: WriteOptions): number | undefined {
    const what = `${operation} ${this.name}`
    return checkTimeout(what, checkOptions(what, options, WRITE_OPTIONS).timeout)
  }

  #lock(operation: string, options: WriteLockOptions | undefined): WriteLock<InferLive<T>> {
    const what = `${operation} ${this.name}`
    const { timeout, copy } = checkOptions(what, options, LOCK_OPTIONS)
    const isCopy = checkBoolean(what, 'copy', copy) ?? true
    const milliseconds = checkTimeout(what, timeout)
    const writer = this.#writer
    writer.check(operation)
    const current = isCopy ? writer.segment.currentIndex() : -1
    const isWhole = current < 0 || this.#encoding.schema !== undefined
    const byteLength = isWhole ? this.byteLength : Math.min(writer.segment.byteLength(current), this.byteLength)
    return new WriteLock(writer, this.#encoding, writer.begin(operation, milliseconds, isCopy), byteLength)
  }
}

function writerOf(name: string, native: NativePublisher, pages: EnginePages): Writer {
  try {
    return new Writer(name, native, pages)
  } catch (error) {
    if (native.adopted) native.abandon()
    else native.close(false)
    throw error
  }
}

type Creation<T extends PublicationType> = Omit<CreateOptions<T>, 'directory'> & { place: Place }

function checkCreation<T extends PublicationType>(what: string, place: Place, options: CreateOptions<T>): Creation<T> {
  const { init, buffers, maxConsumers, mode, ifDead, directory, timeout } = options
  return {
    init,
    buffers: checkInteger(what, 'buffers', buffers, 1, MOST_BUFFERS),
    maxConsumers: checkInteger(what, 'maxConsumers', maxConsumers, 1, MOST_CONSUMERS),
    mode: checkMode(what, mode),
    ifDead: checkSuccession(what, place, ifDead),
    place: inDirectory(what, place, directory),
    timeout: checkTimeout(what, timeout),
  }
}

/** Nothing can take the place of what a descriptor leads to. */
function checkSuccession(what: string, place: Place, ifDead: CreateOptions['ifDead']): CreateOptions['ifDead'] {
  const choice = checkChoice(what, 'ifDead', ifDead, ['adopt', 'replace', 'fail'])
  if (choice !== 'replace' || place.native.fd === undefined) return choice
  throw invalid(what, 'ifDead', ifDead, 'adopt or fail: nothing can take the place of what a descriptor leads to')
}
