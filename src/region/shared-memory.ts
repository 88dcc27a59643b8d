import { checkBoolean, checkChoice, checkDirectory, checkInteger, checkName, checkOptions, invalid } from '../arguments.js'
import { ArgumentError, attempt, LockError, PublicationError } from '../errors.js'
import { listSharedMemory, NativeSharedMemory, unlinkSharedMemory } from '../native.js'
import { checkSize, needSize } from './checks.js'
import type { MapOptions } from './map-options.js'
import { Region } from './region.js'
import { handles } from './shared-handle.js'
import type { DirectoryOptions, SharedMemoryEntry, SharedMemoryOptions } from './shared-memory-options.js'

const MODES = ['r', 'r+', 'w', 'w+', 'x', 'x+'] as const
const OPTIONS = ['size', 'mode', 'directory', 'reserve'] as const

interface Opening {
  readonly name: string
  readonly directory: string | undefined
  readonly reserve: boolean
}

/**
 * A named object of shared memory: the file `/dev/shm/NAME`, as shm_open(3) and Python's `SharedMemory` have it.
 *
 * ```ts
 * using memory = SharedMemory.open('frames', 'w+', { size: 1 << 20 })
 * using region = memory.map()
 * region.bytes[0] = 1
 * memory.unlink()
 * ```
 *
 * Each has a descriptor until it is closed. The garbage collector closes those that nobody can reach any more, but knows nothing of descriptors: who opens many,
 * and closes none, is refused by `ERR_TOO_MANY_FILES`.
 *
 * After {@link SharedMemory.close} everything but `name`, `writable` and `closed` throws `ERR_DISPOSED`.
 */
export class SharedMemory {
  /** The object's name. */
  readonly name: string
  /** Whether it was opened for writing, too. */
  readonly writable: boolean
  readonly #native: NativeSharedMemory
  #isClosed = false

  /**
   * Opens an object, or makes one (open(2)).
   *
   * `r`: to read. `r+`: to read and write. Both are `ERR_NOT_FOUND` where there is none. `w`, `w+`: it is made if it is missing, and cut to
   * nothing if it is there. `x`, `x+`: it is made; `ERR_ALREADY_EXISTS` if it is there. What can be written can be read as well: `w` is `w+`, `x` is `x+`.
   * Default `r+`.
   *
   * @param name At most 255 bytes, without a slash.
   * @throws `ERR_INVALID_NAME`, `ERR_INVALID_ARGUMENT`, `ERR_INVALID_SIZE`, `ERR_NOT_FOUND`, `ERR_ALREADY_EXISTS`, `ERR_PERMISSION`, `ERR_NO_SPACE`,
   * `ERR_READ_ONLY_FILESYSTEM`, `ERR_TOO_MANY_FILES`. What fails leaves nothing behind.
   */
  static open(name: string, mode?: (typeof MODES)[number], options?: SharedMemoryOptions): SharedMemory {
    const what = `open ${checkName('open', name)}`
    const how = checkChoice(what, 'mode', mode, MODES) ?? 'r+'
    const given = checkOptions(what, options, OPTIONS)
    const byteLength = checkSize(what, given.size, 0)
    if (byteLength !== undefined && how.startsWith('r')) {
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: size is ${byteLength}, but mode ${how} takes the object as long as it is`)
    }
    const plan = {
      name,
      mode: how,
      byteLength,
      permissions: checkInteger(what, 'mode', given.mode, 0, 0o777),
      directory: checkDirectory(what, given.directory),
      reserve: checkBoolean(what, 'reserve', given.reserve) ?? true,
    }
    const native = attempt(() => NativeSharedMemory.open(plan))
    return new SharedMemory(plan, how !== 'r', native)
  }

  /**
   * Takes an object's name away (unlink(2)). Who has it open or mapped keeps it.
   *
   * @throws `ERR_INVALID_NAME`, `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND`, `ERR_PERMISSION`.
   */
  static unlink(name: string, options?: DirectoryOptions): void {
    const what = `unlink ${checkName('unlink', name)}`
    const directory = checkDirectory(what, checkOptions(what, options, ['directory']).directory)
    attempt(() => unlinkSharedMemory(name, directory))
  }

  /**
   * The objects that there are, segments of publications among them.
   *
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND` if there is no such directory, `ERR_PERMISSION`.
   */
  static list(options?: DirectoryOptions): SharedMemoryEntry[] {
    const directory = checkDirectory('list', checkOptions('list', options, ['directory']).directory)
    return attempt(() => listSharedMemory(directory))
  }

  private constructor(plan: Opening, writable: boolean, native: NativeSharedMemory) {
    const { name, directory, reserve } = plan
    this.name = name
    this.writable = writable
    this.#native = native
    const named = { path: name, directory }
    handles.set(this, { name, named, writable, reserve, descriptor: operation => this.#call(operation, open => open.fd()) })
  }

  /** The file. */
  get path(): string {
    return this.#call('path', native => native.path())
  }

  /** How many bytes it has now (fstat(2)). */
  get byteLength(): number {
    return this.#call('byteLength', native => native.byteLength())
  }

  /** Its permission bits now (fstat(2)). */
  get mode(): number {
    return this.#call('mode', native => native.permissions())
  }

  /** The descriptor, to be handed to a child by its `stdio`. It stays the object's, which closes it. */
  get fd(): number {
    return this.#call('fd', native => native.fd())
  }

  /**
   * Makes it longer or shorter (ftruncate(2)). Regions keep their length; of one that loses pages, the next use is `ERR_TRUNCATED`.
   *
   * @param size Bytes, 0 or more.
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_SIZE`; `ERR_READ_ONLY` if it was opened for reading only; `ERR_NO_SPACE`.
   */
  truncate(size: number): void {
    const what = `truncate ${this.name}`
    const byteLength = needSize(what, checkSize(what, size, 0), 'expected a number of bytes')
    this.#call('truncate', () => {})
    if (!this.writable) throw new LockError('ERR_READ_ONLY', `${what}: it was opened for reading only`)
    this.#call('truncate', native => native.truncate(byteLength))
  }

  /** As {@link Region.map} with this as its source. The region does without this object from then on. */
  map(options?: Omit<MapOptions, 'source'>): Region {
    const what = `map ${this.name}`
    if (options !== undefined && (typeof options !== 'object' || options === null || Array.isArray(options))) {
      throw invalid(what, 'options', options, 'an object')
    }
    if (options !== undefined && 'source' in options) {
      throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: there is no option "source", it is this object`)
    }
    return Region.map({ ...options, source: this })
  }

  /**
   * Takes the name away (unlink(2)). Who has the object open or mapped keeps it.
   *
   * @throws `ERR_NOT_FOUND` if the name is gone, or leads to another object by now; `ERR_PERMISSION`.
   */
  unlink(): void {
    this.#call('unlink', native => native.unlink())
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#isClosed
  }

  /** Closes the descriptor. The name stays, and so do regions. Twice is once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    attempt(() => this.#native.close())
  }

  /** As {@link SharedMemory.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #call<T>(operation: string, use: (native: NativeSharedMemory) => T): T {
    if (this.#isClosed) throw new PublicationError('ERR_DISPOSED', `${operation} ${this.name}: this object is closed`)
    return attempt(() => use(this.#native))
  }
}
