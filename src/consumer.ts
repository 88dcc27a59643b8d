import {
  checkBoolean,
  checkFunction,
  checkName,
  checkOptions,
  checkRate,
  checkSignal,
  checkTimeout,
  invalid,
  isPromise,
  promiseReturned,
} from './arguments.js'
import { arrival } from './arrival.js'
import { Attachment, endOf, type Plan } from './attachment.js'
import { Changes } from './changes.js'
import type {
  Change,
  ChangesOptions,
  OpenDynamicOptions,
  OpenOptions,
  ReadLockAsyncOptions,
  ReadOptions,
  WaitOptions,
} from './consumer-options.js'
import { type Decoder, decoderFor, dynamicDecoder } from './decoding.js'
import { checkType, type PublicationType } from './encoding.js'
import { ArgumentError } from './errors.js'
import { existingPlaceOf, inDirectory, type Location, type Place } from './location.js'
import type { ReadLock } from './read-lock.js'
import { Reader } from './reader.js'
import type { Infer, InferLive, InferReadonlyLive, Struct } from './struct/index.js'
import { typedArrayKind } from './struct/typed-arrays.js'

const DYNAMIC_OPTIONS = ['directory', 'readOnly'] as const
const OPEN_OPTIONS = [...DYNAMIC_OPTIONS, 'exact'] as const
const WAIT_OPTIONS = ['timeout', 'signal'] as const
const READ_OPTIONS = ['timeout'] as const
const CHANGES_OPTIONS = ['timeout', 'signal', 'maxRate', 'reopen', 'ref', 'withMeta'] as const

/**
 * One of the consumers of a publication: reads the value that its publisher writes.
 *
 * ```ts
 * using pose = await Consumer.waitAndOpen('pose', struct({ x: f64, y: f64 }), { timeout: 5_000 })
 * console.log(pose.read().x)
 * for await (const { x, y } of pose.changes()) console.log(x, y)
 * ```
 *
 * `ERR_CLOSED` and `ERR_REPLACED` tell what the publisher did; after {@link Consumer.close} of this side everything but `name`, `readOnly`,
 * `closed` and `close` throws `ERR_DISPOSED`. One consumer never gets an older value after a newer one.
 */
export class Consumer<T extends PublicationType = PublicationType> {
  readonly #reader: Reader

  private constructor(reader: Reader) {
    this.#reader = reader
  }

  /**
   * Attaches to a publication.
   *
   * @param location Its name, or `{ fd }`: see {@link Location}.
   * @param type A struct, whose fields the publisher's must have; or `bytes(n)`.
   * @throws `ERR_NOT_FOUND`; `ERR_SCHEMA_MISMATCH`, naming the field; `ERR_TOO_MANY_CONSUMERS`, naming them;
   * `ERR_LOCK_OBSTRUCTED` if a process that is not attached holds a read lock (fcntl(2)) on one of the slots; `ERR_NOT_A_SEGMENT`,
   * `ERR_CORRUPT` and `ERR_UNSUPPORTED_FORMAT` for what is no publication; where the system refuses, `ERR_PERMISSION`,
   * `ERR_READ_ONLY_FILESYSTEM`, `ERR_TOO_MANY_FILES` and `ERR_ADDRESS_SPACE`; `ERR_INVALID_NAME`, `ERR_INVALID_TYPE`, `ERR_INVALID_ARGUMENT`,
   * also for a descriptor that is none. What fails leaves nothing behind.
   */
  static open<T extends PublicationType>(location: Location, type: T, options?: OpenOptions): Consumer<T> {
    const place = existingPlaceOf('open', location)
    const what = `open ${place.label}`
    const given = checkOptions(what, options, OPEN_OPTIONS)
    const plan = planOf(what, place, given, decoderOf(what, type, given))
    return new Consumer<T>(new Reader(plan, Attachment.open(what, plan)))
  }

  /**
   * As {@link Consumer.open}, as soon as there is a publication of that name that is not closed. Nothing is polled. What `{ fd }` leads to is there already: that is
   * for {@link Consumer.open} alone, and `ERR_INVALID_NAME` here.
   *
   * @throws (rejects) as {@link Consumer.open}, except `ERR_NOT_FOUND` where only the directory is missing; `ERR_TIMEOUT`; `ERR_ABORTED`.
   */
  static async waitAndOpen<T extends PublicationType>(name: string, type: T, options?: OpenOptions & WaitOptions): Promise<Consumer<T>> {
    const place = named('waitAndOpen', name)
    const what = `waitAndOpen ${name}`
    const given = checkOptions(what, options, [...OPEN_OPTIONS, ...WAIT_OPTIONS])
    return Consumer.#wait<T>(what, planOf(what, place, given, decoderOf(what, type, given)), given)
  }

  /**
   * Attaches without knowing the type: values are decoded by the schema in the segment, and are bytes where there is none.
   *
   * @throws as {@link Consumer.open}; `ERR_INVALID_SCHEMA`.
   */
  static openDynamic(location: Location, options?: OpenDynamicOptions): Consumer {
    const place = existingPlaceOf('openDynamic', location)
    const what = `openDynamic ${place.label}`
    const plan = planOf(what, place, checkOptions(what, options, DYNAMIC_OPTIONS), dynamicDecoder)
    return new Consumer(new Reader(plan, Attachment.open(what, plan)))
  }

  /** As {@link Consumer.openDynamic}, as soon as there is such a publication. Rejects as {@link Consumer.waitAndOpen}. */
  static async waitAndOpenDynamic(name: string, options?: OpenDynamicOptions & WaitOptions): Promise<Consumer> {
    const place = named('waitAndOpenDynamic', name)
    const what = `waitAndOpenDynamic ${name}`
    const given = checkOptions(what, options, [...DYNAMIC_OPTIONS, ...WAIT_OPTIONS])
    return Consumer.#wait(what, planOf(what, place, given, dynamicDecoder), given)
  }

  static async #wait<T extends PublicationType>(what: string, plan: Plan, { timeout, signal }: WaitOptions): Promise<Consumer<T>> {
    const wait = { timeout: checkTimeout(what, timeout), signal: checkSignal(what, signal) }
    const { name = '', directory } = plan.place.native
    const attachment = await arrival({ ...wait, what, name, directory, attempt: () => Attachment.openLiving(what, plan) })
    return new Consumer<T>(new Reader(plan, attachment))
  }

  /** The name of the segment, or what messages call it where it has none. */
  get name(): string {
    return this.#reader.name
  }

  /** The descriptor of the segment, to be handed on. It stays the consumer's, which closes it. */
  get fd(): number {
    return this.#reader.attachment('fd').fd()
  }

  /** Whether this consumer can only read copies. */
  get readOnly(): boolean {
    return this.#reader.readOnly
  }

  /** The publisher's type, read from the segment: print it, or look at its `fields` and `schemaJson`. Undefined for bytes. */
  get schema(): Struct | undefined {
    return this.#reader.attachment('schema').decoding.publisher
  }

  /** Whether {@link Consumer.readChange} has something: a value newer than all that this consumer has handed out. */
  get hasChanged(): boolean {
    return this.#reader.attachment('hasChanged').currentVersion() > this.#reader.seen
  }

  /** Values published so far. */
  get totalWrites(): number {
    return this.#reader.attachment('totalWrites').totalWrites()
  }

  /** Milliseconds since the current value was published; `Infinity` if there is none. */
  get stalenessMs(): number {
    return this.#reader.attachment('stalenessMs').stalenessMs()
  }

  /** Whether the publisher lives, as the kernel says. */
  get publisherAlive(): boolean {
    return this.#reader.attachment('publisherAlive').publisherAlive()
  }

  /** How many publishers the segment has had: it grows when a publisher takes over what a dead one left. */
  get epoch(): number {
    return this.#reader.attachment('epoch').epoch()
  }

  /** Whether no further value will come: the publication was closed or replaced, or this consumer was closed. */
  get closed(): boolean {
    return this.#reader.isDisposed || endOf(this.#reader.attachment('closed').state()) !== 0
  }

  /**
   * A copy of the current value.
   *
   * @throws `ERR_EMPTY` if nothing was published yet; `ERR_CLOSED`; `ERR_REPLACED`; `ERR_TRUNCATED`, as everything here from then on, if
   * another process cut the segment short; `ERR_PUBLISHER_DIED` if the publisher died and left no
   * whole value; `ERR_TIMEOUT`, see {@link ReadOptions.timeout}; `ERR_ALREADY_LOCKED` while this consumer holds a lock;
   * `ERR_INVALID_SIZE` where the copy would be made of more than 16,777,216 values.
   */
  read(options?: ReadOptions): Infer<T> {
    const reader = this.#reader
    const source = reader.begin('read', options === undefined ? undefined : this.#timeoutOf('read', options))
    try {
      const value = reader.attachment('read').decoding.read(source)
      reader.seen = source.version
      return value as Infer<T>
    } finally {
      source.end()
    }
  }

  /**
   * Copies the current value to memory of yours: its bytes in the publisher's layout to a Uint8Array, or its fields to a view, made by
   * `Pose.view()`.
   *
   * @returns How many bytes the value has.
   * @throws as {@link Consumer.read}, and then what is in the target means nothing; `ERR_INVALID_SIZE` if the array is too short;
   * `ERR_INVALID_ARGUMENT` if the target is neither.
   */
  readInto(target: Uint8Array | InferLive<T>, options?: ReadOptions): number {
    const reader = this.#reader
    const timeout = options === undefined ? undefined : this.#timeoutOf('readInto', options)
    if (typedArrayKind(target) === 'Uint8Array') {
      const byteLength = reader.copyAtOnce('readInto', target as Uint8Array)
      if (byteLength >= 0) return byteLength
    }
    const source = reader.begin('readInto', timeout)
    try {
      const byteLength = reader.attachment('readInto').decoding.readInto(this.name, source, target)
      reader.seen = source.version
      return byteLength
    } finally {
      source.end()
    }
  }

  /**
   * A copy of the current value, if it is newer than all that this consumer has handed out in whatever way. The last value of a publication
   * that was closed or replaced still comes.
   *
   * @throws `ERR_CLOSED` and `ERR_REPLACED` after that; otherwise as {@link Consumer.read}, except `ERR_EMPTY`.
   */
  readChange(options?: ReadOptions): Infer<T> | undefined {
    const timeout = options === undefined ? undefined : this.#timeoutOf('readChange', options)
    return this.#reader.readChange('readChange', timeout) as Infer<T> | undefined
  }

  /**
   * Calls `look` with the value in place, for the length of the call.
   *
   * @param look Gets the live value, and the lock for its other members. It must not be asynchronous.
   * @returns What `look` returns.
   * @throws as {@link Consumer.readLock}; `ERR_PROMISE_RETURNED`.
   */
  withRead<R>(look: (value: InferReadonlyLive<T>, lock: ReadLock<InferReadonlyLive<T>>) => R, options?: ReadOptions): R {
    const what = `withRead ${this.name}`
    checkFunction(what, 'look', look)
    const lock = this.#lock('withRead', options)
    try {
      const result = look(lock.value, lock)
      if (isPromise(result)) throw promiseReturned(what, result)
      return result
    } finally {
      lock.release()
    }
  }

  /**
   * Holds the current value in place.
   *
   * @throws as {@link Consumer.read}; `ERR_READ_ONLY` for a read-only consumer.
   */
  readLock(options?: ReadOptions): ReadLock<InferReadonlyLive<T>> {
    return this.#lock('readLock', options)
  }

  /**
   * Holds the current value in place if there is one at once; otherwise undefined.
   *
   * @throws `ERR_CLOSED`, `ERR_REPLACED`, `ERR_ALREADY_LOCKED`, `ERR_READ_ONLY`.
   */
  tryReadLock(): ReadLock<InferReadonlyLive<T>> | undefined {
    return this.#reader.tryLock('tryReadLock') as ReadLock<InferReadonlyLive<T>> | undefined
  }

  /**
   * As {@link Consumer.readLock}, without blocking the event loop while it waits.
   *
   * @throws (rejects) as {@link Consumer.readLock}; `ERR_ABORTED`.
   */
  async readLockAsync(options?: ReadLockAsyncOptions): Promise<ReadLock<InferReadonlyLive<T>>> {
    const what = `readLockAsync ${this.name}`
    const { timeout, signal } = checkOptions(what, options, WAIT_OPTIONS)
    const lock = this.#reader.lockAsync('readLockAsync', checkTimeout(what, timeout), checkSignal(what, signal))
    return lock as Promise<ReadLock<InferReadonlyLive<T>>>
  }

  /**
   * First the current value, if there is one, then each newer one: the newest at the time, so that a slow loop skips some. Values are copies,
   * and nothing is locked while the body runs. While it awaits, the event loop is free. Several iterations at once do not disturb each other.
   *
   * It ends when the publication or this consumer is closed. If the publisher dies, it waits for the next one.
   *
   * @throws (rejects) `ERR_REPLACED`, `ERR_TIMEOUT`, `ERR_ABORTED`; with `reopen` also as {@link Consumer.open}.
   */
  changes(options: ChangesOptions & { withMeta: true }): AsyncIterableIterator<Change<Infer<T>>>
  changes(options?: ChangesOptions & { withMeta?: false }): AsyncIterableIterator<Infer<T>>
  changes(options?: ChangesOptions): AsyncIterableIterator<unknown> {
    const what = `changes ${this.name}`
    const { timeout, signal, maxRate, reopen, ref, withMeta } = checkOptions(what, options, CHANGES_OPTIONS)
    this.#reader.attachment('changes')
    if (reopen === true && !this.#reader.isNamed)
      throw invalid(what, 'reopen', reopen, 'false: without a name there is no other one to come')
    return new Changes(this.#reader, {
      timeout: checkTimeout(what, timeout) ?? Number.POSITIVE_INFINITY,
      signal: checkSignal(what, signal),
      periodMs: checkRate(what, maxRate) ?? 0,
      reopen: checkBoolean(what, 'reopen', reopen) ?? false,
      ref: checkBoolean(what, 'ref', ref) ?? true,
      withMeta: checkBoolean(what, 'withMeta', withMeta) ?? false,
    })
  }

  /**
   * Detaches. A lock that is held is released, views over the segment get length 0, pending waits end. Twice is once.
   *
   * @throws `ERR_TRUNCATED`, when all that is done, as the release of the lock that is held would have.
   */
  close(): void {
    this.#reader.dispose()
  }

  /** As {@link Consumer.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #timeoutOf(operation: string, options: ReadOptions): number | undefined {
    const what = `${operation} ${this.name}`
    return checkTimeout(what, checkOptions(what, options, READ_OPTIONS).timeout)
  }

  #lock(operation: string, options: ReadOptions | undefined): ReadLock<InferReadonlyLive<T>> {
    const timeout = options === undefined ? undefined : this.#timeoutOf(operation, options)
    return this.#reader.lock(operation, timeout) as ReadLock<InferReadonlyLive<T>>
  }
}

function planOf(what: string, place: Place, { directory, readOnly }: OpenDynamicOptions, decoding: Decoder): Plan {
  return { place: inDirectory(what, place, directory), readOnly: checkBoolean(what, 'readOnly', readOnly) ?? false, decoding }
}

// What is waited for has a name, for a descriptor leads to what is there.
function named(operation: 'waitAndOpen' | 'waitAndOpenDynamic', name: unknown): Place {
  if (typeof name !== 'object' || name === null || !(Object.hasOwn(name, 'fd') || Object.hasOwn(name, 'memfd'))) {
    return existingPlaceOf(operation, checkName(operation, name))
  }
  const open = operation === 'waitAndOpen' ? 'Consumer.open' : 'Consumer.openDynamic'
  throw new ArgumentError('ERR_INVALID_NAME', `${operation}: memory without a name is there already: ${open}({ fd })`)
}

function decoderOf(what: string, type: unknown, { exact }: OpenOptions): Decoder {
  checkType(what, type)
  return decoderFor(type, checkBoolean(what, 'exact', exact) ?? false)
}
