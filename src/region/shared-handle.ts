/** What mapping needs of a `SharedMemory` or a `Descriptor`. Apart from the classes, which know how to map. */
export interface SharedHandle {
  /** What messages call it. */
  readonly name: string
  /** The name by which others find it, in POSIX's directory of shared memory or in another one; undefined: it has none. */
  readonly named: { readonly path: string; readonly directory: string | undefined } | undefined
  readonly writable: boolean
  /** Whether it was opened to have its room taken. */
  readonly reserve: boolean
  /** The descriptor; throws `ERR_DISPOSED` once it is closed. The operation alone: who throws adds the name. */
  descriptor(operation: string): number
}

/** Of each of them. */
export const handles = new WeakMap<object, SharedHandle>()
