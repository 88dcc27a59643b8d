import { checkBoolean, checkId, checkInteger, checkOptions, invalid } from '../arguments.js'
import { ArgumentError, attempt } from '../errors.js'
import { type NativeSysVStatus, sysvGet, sysvKeyOf, sysvList, sysvRemove, sysvSet, sysvSetLocked, sysvStatus } from '../native.js'
import { checkPath, checkPointer, checkSize } from './checks.js'
import { PAGE_SIZE } from './page-size.js'
import { Region } from './region.js'
import { segmentIds } from './sysv-handle.js'
import type { SysVAttachOptions, SysVOptions, SysVSettings, SysVStatus } from './sysv-options.js'

const GET_OPTIONS = ['size', 'create', 'exclusive', 'mode', 'reserve', 'hugePages'] as const
const ATTACH_OPTIONS = [
  'size',
  'offset',
  'access',
  'address',
  'placement',
  'round',
  'populate',
  'lock',
  'hugePages',
  'privateTail',
] as const
const MOST_USERS = 2 ** 32 - 2
/** Whoever has it found the segment: nobody but the class. */
const FOUND = Symbol('found')

/**
 * A segment of SysV shared memory (shmget(2)), as C's `shmget` and `shmat` and Python's `sysv_ipc` have it: it has a number instead of a name, belongs to no
 * file system, and stays until somebody removes it or the machine ends.
 *
 * ```ts
 * const memory = SysVSharedMemory.get(0x70616765, { create: true, size: 1 << 20 })
 * using region = memory.attach()
 * region.bytes[0] = 1
 * memory.remove()
 * ```
 *
 * This is its number and nothing more, so there is nothing to close; {@link Region.close} detaches what {@link SysVSharedMemory.attach} attached. What is done with a segment
 * that is gone throws `ERR_NOT_FOUND`; where the system has no such memory, as macOS for this library, everything throws `ERR_UNSUPPORTED`.
 */
export class SysVSharedMemory {
  readonly #id: number
  readonly #key: number | 'private'

  /**
   * Finds a segment, or makes one (shmget(2)).
   *
   * @param key A number that all who use it have agreed on, such as one of {@link ftok}: not 0, and as a C program writes it, so -1 is 0xffffffff. `'private'`: a fresh one,
   * which has no key (`IPC_PRIVATE`), for those who are told its id.
   * @throws `ERR_INVALID_ARGUMENT`; `ERR_INVALID_SIZE` for a size that is missing or no size, of more bytes than the segment has, or than one may have
   * (kernel.shmmax); `ERR_NOT_FOUND`, `ERR_ALREADY_EXISTS`, `ERR_PERMISSION`; `ERR_NO_SPACE` for more bytes, or more segments, than all together may have (kernel.shmall,
   * kernel.shmmni), or there is memory for; `ERR_HUGE_PAGES`.
   */
  static get(key: number | 'private', options?: SysVOptions): SysVSharedMemory {
    const number = checkKey(key)
    const shown = number === undefined ? 'private' : number >>> 0
    const what = `get SysV segment ${nameOf(shown)}`
    const given = checkOptions(what, options, GET_OPTIONS)
    const plan = {
      key: number,
      byteLength: checkSize(what, given.size),
      create: checkBoolean(what, 'create', given.create) ?? false,
      exclusive: checkBoolean(what, 'exclusive', given.exclusive) ?? false,
      permissions: checkInteger(what, 'mode', given.mode, 0, 0o777),
      reserve: checkBoolean(what, 'reserve', given.reserve) ?? true,
      hugePages: checkBoolean(what, 'hugePages', given.hugePages) ?? false,
    }
    const id = attempt(() => sysvGet(plan))
    return new SysVSharedMemory(FOUND, id, shown)
  }

  /**
   * The segment of an id.
   *
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND`; `ERR_PERMISSION` for one that this process may not read.
   */
  static byId(id: number): SysVSharedMemory {
    const number = checkId('SysV segment', 'id', id)
    return new SysVSharedMemory(FOUND, number, statusOf(number).key)
  }

  /** All segments of this IPC namespace, by id, whoever may use them; before Linux 4.17 those that this process may read. */
  static list(): SysVStatus[] {
    return attempt(() => sysvList()).map(fromNative)
  }

  private constructor(found: typeof FOUND, id: number, key: number | 'private') {
    if (found !== FOUND) throw new ArgumentError('ERR_INVALID_ARGUMENT', 'new SysVSharedMemory: expected SysVSharedMemory.get or byId')
    this.#id = id
    this.#key = key
    segmentIds.set(this, id)
  }

  /** Its number (`shmid`): all processes of its IPC namespace know it by that. */
  get id(): number {
    return this.#id
  }

  /** What it was found by: its key, as ipcs(1) prints it, from 0 to 2^32 - 1; `'private'` for one that has none. */
  get key(): number | 'private' {
    return this.#key
  }

  /** Its bytes, as they were asked for. As {@link SysVSharedMemory.stat}, which tells it. */
  get byteLength(): number {
    return this.stat().byteLength
  }

  /**
   * What the kernel knows of it (shmctl(2), `IPC_STAT`).
   *
   * @throws `ERR_NOT_FOUND`; `ERR_PERMISSION` if this process may not read it.
   */
  stat(): SysVStatus {
    return statusOf(this.#id)
  }

  /**
   * Attaches it (shmat(2)): {@link Region.map} with this as its source. Closing the region detaches it, and so does the end of the process, however it ends. Unlike shmdt(2),
   * {@link Region.detach} does not: it leaves the segment attached for the rest of the process. The memory is always shared, and always as long as it was made:
   * {@link Region.resize} and {@link Region.fd} are `ERR_UNSUPPORTED`.
   *
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_INVALID_SIZE`, `ERR_NOT_FOUND`, `ERR_PERMISSION`, `ERR_ADDRESS_SPACE`; `ERR_ADDRESS_IN_USE` if anything is at `address`, or with
   * `placement: 'replace'` anything but one's own {@link Reservation}; `ERR_HUGE_PAGES` for a segment of huge pages; `ERR_LOCK_LIMIT`.
   */
  attach(options?: SysVAttachOptions): Region {
    const what = `attach SysV segment ${this.#id}`
    const { round, ...given } = checkOptions(what, options, ATTACH_OPTIONS)
    if (checkBoolean(what, 'round', round) !== true) return Region.map({ ...given, source: this })
    if (given.address === undefined) throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: round is true, but there is no address`)
    const address = checkPointer(what, 'address', given.address)
    return Region.map({ ...given, address: address - (address % BigInt(PAGE_SIZE)), source: this })
  }

  /**
   * Changes its owner and its permission bits (shmctl(2), `IPC_SET`).
   *
   * @throws `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND`; `ERR_PERMISSION` for all but its owner, its creator and root.
   */
  set(settings: SysVSettings): void {
    const what = `set SysV segment ${this.#id}`
    if (settings === undefined) throw invalid(what, 'options', settings, 'an object')
    const given = checkOptions(what, settings, ['uid', 'gid', 'mode'])
    const [uid, gid] = [checkInteger(what, 'uid', given.uid, 0, MOST_USERS), checkInteger(what, 'gid', given.gid, 0, MOST_USERS)]
    const mode = checkInteger(what, 'mode', given.mode, 0, 0o777)
    attempt(() => sysvSet(this.#id, uid, gid, mode))
  }

  /**
   * Keeps all of it in memory, whoever attaches it (shmctl(2), `SHM_LOCK`); its pages are there once they were touched. Until {@link SysVSharedMemory.unlock}.
   *
   * @throws `ERR_LOCK_LIMIT` for more than this process may lock; `ERR_NOT_FOUND`, `ERR_PERMISSION`.
   */
  lock(): void {
    attempt(() => sysvSetLocked(this.#id, true))
  }

  /** No longer keeps it in memory (shmctl(2), `SHM_UNLOCK`). Throws as {@link SysVSharedMemory.lock}. */
  unlock(): void {
    attempt(() => sysvSetLocked(this.#id, false))
  }

  /**
   * Removes it (shmctl(2), `IPC_RMID`). Nobody finds it by its key any more, which is free for another one; who has it attached keeps it, and it goes with the last of them.
   * Until then Linux, unlike other systems, still lets whoever knows the id attach it, and {@link SysVStatus.removed} is true.
   *
   * @throws `ERR_NOT_FOUND` if it is gone; `ERR_PERMISSION` for all but its owner, its creator and root.
   */
  remove(): void {
    attempt(() => sysvRemove(this.#id))
  }
}

/**
 * The key that a file and a number stand for (ftok(3)), from 0 to 2^32 - 1: 16 bits of the file's inode, 8 of its device, and the 8 of `projectId`. So two files may have the
 * same one, and a file that was replaced has another.
 *
 * @param path A file or a directory that is there.
 * @param projectId From 1 to 255, as the character that C programs pass.
 * @throws `ERR_INVALID_ARGUMENT`, `ERR_NOT_FOUND`, `ERR_PERMISSION`.
 */
export function ftok(path: string, projectId: number): number {
  const file = checkPath('ftok', 'path', path)
  const project = checkInteger(`ftok ${file}`, 'projectId', projectId, 1, 255)
  if (project === undefined) throw invalid(`ftok ${file}`, 'projectId', projectId, 'an integer from 1 to 255')
  return attempt(() => sysvKeyOf(file, project)) >>> 0
}

/** As the kernel takes it; `undefined` for a private segment. */
function checkKey(key: unknown): number | undefined {
  if (key === 'private') return undefined
  const expected = "'private', or an integer from -2^31 to 2^32 - 1 that is not 0"
  if (typeof key !== 'number' || !Number.isInteger(key) || key < -(2 ** 31) || key >= 2 ** 32 || key === 0) {
    throw invalid('get SysV segment', 'key', key, expected)
  }
  return key | 0
}

/** As ipcs(1) prints it. */
function nameOf(key: number | 'private'): string {
  return key === 'private' ? key : `0x${key.toString(16).padStart(8, '0')}`
}

function statusOf(id: number): SysVStatus {
  return fromNative(attempt(() => sysvStatus(id)))
}

function fromNative({ key, attachedAt, detachedAt, changedAt, ...rest }: NativeSysVStatus): SysVStatus {
  const date = (time: number | undefined) => (time === undefined ? undefined : new Date(time))
  const shown = key === undefined ? 'private' : key >>> 0
  return { ...rest, key: shown, attachedAt: date(attachedAt), detachedAt: date(detachedAt), changedAt: date(changedAt) }
}
