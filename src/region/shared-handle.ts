/** What mapping needs of a `SharedMemory`. Apart from the class, which knows how to map. */
export interface SharedHandle {
  readonly name: string
  /** Where the name is; `undefined` is where POSIX shared memory is. */
  readonly directory: string | undefined
  readonly writable: boolean
  /** Whether it was opened to have its room taken. */
  readonly reserve: boolean
  /** The descriptor; throws `ERR_DISPOSED` once it is closed. */
  descriptor(what: string): number
}

/** Of each `SharedMemory`. */
export const handles = new WeakMap<object, SharedHandle>()
