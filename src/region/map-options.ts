import type { Shareable } from '../shareable.js'
import type { Descriptor } from './descriptor.js'
import type { Seal } from './seals.js'
import type { SharedMemory } from './shared-memory.js'
import type { SysVSharedMemory } from './sysv.js'

/** What may be done with pages: nothing, or r(ead), w(rite) and (e)x(ecute), as mmap(2) and mprotect(2) have it. */
export type Access = 'none' | 'r' | 'rw' | 'rx' | 'rwx'

/**
 * What is mapped.
 *
 * - `'anonymous'`: fresh zeros that have no name. Shared ones are a memfd (memfd_create(2)) that is sealed against being made smaller: of a region that
 *   {@link Region.resize} makes shorter it keeps the length, without what was in it. Private ones are /dev/zero.
 * - `'memfd'`, `{ memfd: label }`: a memfd to be handed on by {@link Region.fd}; the label shows in /proc. With `seals`, it is sealed once it is mapped.
 * - `'temporary'`, `{ temporary: directory }`: a file without a name, in `os.tmpdir()` or that directory.
 * - `{ file: path }`: a file or a device. With `create: true` it is made if it is missing, with the permission bits `mode`, exactly; default `0o600`.
 * - `{ shm: name }`: an existing object of shared memory, in `/dev/shm` or `directory`, opened as by `SharedMemory.open(name, 'r+')`.
 * - `{ fd }`: what a descriptor leads to, by its number or whatever has it. It is duplicated, so it stays the caller's.
 * - a {@link SharedMemory}, or a {@link Descriptor} that was received.
 * - `{ sysv: id }`, a {@link SysVSharedMemory}: a segment of SysV shared memory, which is never private and has no `reserve`.
 */
export type RegionSource =
  | 'anonymous'
  | 'memfd'
  | 'temporary'
  | { memfd: string; seals?: readonly Seal[] }
  | { temporary: string }
  | { file: string; create?: boolean; mode?: number }
  | { shm: string; directory?: string }
  | { fd: Shareable }
  | SharedMemory
  | { sysv: number }
  | SysVSharedMemory
  | Descriptor

/** How {@link Region.map} maps. */
export interface MapOptions {
  /**
   * Bytes. Needed for `anonymous`, `memfd`, `temporary` and devices. Default: what is left of the object after `offset`. An empty file is made
   * that long, also where `access` has no `w`, and behind a descriptor that is to read only: it is opened once more, which is `ERR_PERMISSION` if this
   * user may not write it. One that has fewer bytes, but some, is `ERR_INVALID_SIZE`.
   */
  size?: number
  /** What is mapped. Default `'anonymous'`. */
  source?: RegionSource
  /** What may be done with the pages. Default `'rw'`; `'r'` for a {@link SharedMemory} or {@link Descriptor} that can only be read. */
  access?: Access
  /** Whether others see what is written. `'private'`: copy-on-write (mmap(2), `MAP_PRIVATE`). Default `'shared'`. */
  sharing?: 'shared' | 'private'
  /** Bytes into the object where the region begins, a multiple of the page size. Default 0. Not for what is made afresh. */
  offset?: number
  /**
   * Whether to take the room on the filesystem now (posix_fallocate(3)), so that there is an `ERR_NO_SPACE` here instead of a fault later.
   * Default: true for `memfd`, `shm` and a {@link SharedMemory} that may be written and was not opened without, else false. A file that is to stay sparse must not be reserved.
   * Without it, too, what is made or extended has room for its last page. For what is there already, true does nothing where the region writes nothing to the
   * object: in a private mapping, and where `access` has no `w`. Nor does it for a device.
   */
  reserve?: boolean
  /**
   * The address where the pages go, a multiple of the page size. That mapping is then the primary one, whose {@link Region.address} it is;
   * {@link Region.bytes} is a second one of the same object, which a private mapping cannot have. Default: where the engine has room, but see `placement`.
   */
  address?: bigint
  /**
   * What to do if something is at `address` already. `'exclusive'`: `ERR_ADDRESS_IN_USE` (mmap(2), `MAP_FIXED_NOREPLACE`). `'hint'`: map elsewhere.
   * `'replace'`: map over one's own {@link Reservation}, where no region is; anywhere else it is `ERR_ADDRESS_IN_USE`. Default `'exclusive'`.
   *
   * Without an address, `'portable'`: map where most likely nothing is in any process, so that others get the same address by {@link Region.handle}.
   * `ERR_PRIVATE` for a private mapping, and for a device.
   */
  placement?: 'exclusive' | 'hint' | 'replace' | 'portable'
  /** Whether to fault all pages in now (mmap(2), `MAP_POPULATE`). Default false. */
  populate?: boolean
  /** Whether to keep the pages in memory (mlock(2)). `ERR_LOCK_LIMIT` names the limit; `ERR_NO_ACCESS` with access `'none'`. Default false. */
  lock?: boolean
  /**
   * Whether to ask for transparent huge pages (madvise(2), `MADV_HUGEPAGE`), in every mapping of the region. `ERR_HUGE_PAGES` says why one of them can have
   * none: a setting in /sys/kernel/mm/transparent_hugepage, too few bytes, an `offset` that is no multiple of 64 KiB (on Linux 6.7 to 6.12: of a huge page),
   * with Bun a place in memory where no huge page of a shared object begins, or `THPeligible: 0` in /proc/self/smaps (Linux 5.0 and newer). Whether a huge
   * page is free when it is touched, nobody knows before. Default false.
   */
  hugePages?: boolean
  /**
   * Whether {@link Region.sharedBuffer} may be had of a size that is no multiple of 64 KiB. What it shows past the object's last page belongs to
   * this process alone. Default false.
   */
  privateTail?: boolean
}

/** How {@link Region.reserve} reserves. */
export interface ReserveOptions {
  /** The address where it begins, a multiple of the page size; `ERR_ADDRESS_IN_USE` if anything is there. Default: where there is room. */
  address?: bigint
}

/** How {@link Region.close} ends a region. */
export interface RegionCloseOptions {
  /**
   * Whether views get length 0 at once. With false they show zeros instead, as shared buffers do, until nobody can reach them any more: for jobs of `zlib` and streams
   * of `fs` that are under way, which look at their input again and do not survive, or never end, if it was detached. Default true.
   */
  detach?: boolean
}

/** How changes are written to the object. */
export interface FlushOptions {
  /** Whether to wait until they are (msync(2), `MS_SYNC`), instead of only asking for it (`MS_ASYNC`). Default true. */
  wait?: boolean
}

/** What {@link PageRange.advise} tells the kernel, by its names: madvise(2). */
export type Advice =
  | 'normal'
  | 'random'
  | 'sequential'
  | 'willneed'
  | 'dontneed'
  | 'hugepage'
  | 'nohugepage'
  | 'free'
  | 'cold'
  | 'pageout'
  | 'remove'
  | 'dontfork'
  | 'dofork'
  | 'dontdump'
  | 'dodump'

/** What is left of a region that was detached. */
export interface Detached {
  /** Where the mapping is. */
  readonly address: bigint
  /** Its bytes, as asked for. */
  readonly byteLength: number
  /** The bytes, for as long as the process lives; of length 0 where the region had none to show (private, at an address). */
  readonly bytes: Uint8Array
}
