import type { MapOptions } from './map-options.js'

/** How {@link SysVSharedMemory.get} finds a segment or makes one. */
export interface SysVOptions {
  /**
   * Bytes: of a segment that is made, which needs it, all that it will ever have; of one that is there, how many it has to have at least. Default: whatever is there.
   */
  size?: number
  /** Whether a segment is made if there is none (`IPC_CREAT`). A private one always is. Default false. */
  create?: boolean
  /** Whether there must be none: `ERR_ALREADY_EXISTS` otherwise (`IPC_EXCL`). Only with `create`. Default false. */
  exclusive?: boolean
  /**
   * Permission bits of a segment that is made, exactly these, whatever the umask; of one that is there, what this process has to be allowed. Default: `0o600` with
   * `create`, else 0, which asks for nothing.
   */
  mode?: number
  /**
   * Whether the system promises the memory now, so that too much is `ERR_NO_SPACE` here; `false` is `SHM_NORESERVE`. Only with `create`. Default true. No page is
   * taken before it is touched.
   */
  reserve?: boolean
  /**
   * Whether a segment that is made has huge pages of the system's default size (`SHM_HUGETLB`); `ERR_HUGE_PAGES` if the system has none, or not for
   * this process. It is for programs that attach it themselves: no {@link Region} is mapped over it (`ERR_HUGE_PAGES`). Only with `create`. Default false.
   */
  hugePages?: boolean
}

/** How {@link SysVSharedMemory.attach} attaches. `access` without `w` is `SHM_RDONLY`; with `x` it is `SHM_EXEC`, which the mode has to allow, too; `placement: 'replace'` is `SHM_REMAP`. */
export interface SysVAttachOptions extends Omit<MapOptions, 'source' | 'sharing' | 'reserve'> {
  /** Whether `address` may be any, and is rounded down to a multiple of the page size (`SHM_RND`). Default false. */
  round?: boolean
}

/** What {@link SysVSharedMemory.set} changes; what is missing stays as it is. */
export interface SysVSettings {
  /** The user that it belongs to. */
  uid?: number
  /** The group. */
  gid?: number
  /** Permission bits. */
  mode?: number
}

/** What the kernel knows of a segment: `struct shmid_ds` of shmctl(2), whose names are in parentheses. */
export interface SysVStatus {
  /** Its number. */
  readonly id: number
  /** Its key, as ipcs(1) prints it (`shm_perm.__key`); `'private'` where it has none, or none any more because it was removed. */
  readonly key: number | 'private'
  /** The user that it belongs to (`shm_perm.uid`). */
  readonly uid: number
  /** The group (`shm_perm.gid`). */
  readonly gid: number
  /** The user who made it (`shm_perm.cuid`). */
  readonly creatorUid: number
  /** His group (`shm_perm.cgid`). */
  readonly creatorGid: number
  /** Permission bits (`shm_perm.mode`). */
  readonly mode: number
  /** Bytes, as they were asked for (`shm_segsz`). */
  readonly byteLength: number
  /**
   * How many mappings there are of it, in all processes (`shm_nattch`). A region is one for itself, one for its {@link Region.sharedBuffer} if that was used, and one
   * for its address if one was asked for; Linux counts pages in a row, so each that was unmapped or protected from among them makes more.
   */
  readonly attaches: number
  /** The process that made it (`shm_cpid`), by its number here; 0 if it has none here. */
  readonly creatorPid: number
  /** The process that attached or detached it last (`shm_lpid`); 0 for none. */
  readonly lastPid: number
  /** When it was attached last (`shm_atime`), to the second; `undefined` for never. */
  readonly attachedAt: Date | undefined
  /** When it was detached last (`shm_dtime`); `undefined` for never. */
  readonly detachedAt: Date | undefined
  /** When it was made, or its owner or mode changed (`shm_ctime`). */
  readonly changedAt: Date | undefined
  /** Whether it was removed, and goes with the last who has it attached (`SHM_DEST`). */
  readonly removed: boolean
  /** Whether it is kept in memory (`SHM_LOCKED`). */
  readonly locked: boolean
}
