/** How {@link SharedMemory.open} opens an object or makes one. */
export interface SharedMemoryOptions {
  /**
   * Bytes, 0 or more: how long the object is to be, with the modes `w` and `x`. Not with `r` and `r+`, which take it as it is. Default: 0, to be set by
   * {@link SharedMemory.truncate}.
   */
  size?: number
  /** Permission bits of an object that is made, exactly these. Default `0o600`. */
  mode?: number
  /** Where the object is. Default `/dev/shm`. */
  directory?: string
  /**
   * Whether the room of `size`, and of what {@link SharedMemory.truncate} adds, is taken at once (posix_fallocate(3)), so that there is an
   * `ERR_NO_SPACE` instead of a fault later; regions that are mapped of it do the same unless told otherwise. Default true.
   */
  reserve?: boolean
}

/** Where {@link SharedMemory.unlink} and {@link SharedMemory.list} look. */
export interface DirectoryOptions {
  /** The directory. Default `/dev/shm`. */
  directory?: string
}

/** One of the objects that {@link SharedMemory.list} found. */
export interface SharedMemoryEntry {
  /** Its name. */
  readonly name: string
  /** Its length in bytes. */
  readonly byteLength: number
  /** Its permission bits. */
  readonly mode: number
  /** Whether it is a segment that a `Publisher` made. */
  readonly segment: boolean
}
