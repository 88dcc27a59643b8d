import { checkDirectory, checkLabel, checkName, checkOptions, invalid } from './arguments.js'
import { ArgumentError } from './errors.js'
import type { NativeLocation } from './native.js'
import { descriptorOf, type Shareable } from './shareable.js'

/**
 * Where a consumer finds a publication: its name, at most 255 bytes without a slash, so that `pose` is the file `/dev/shm/pose`; or
 * `{ fd }`, a descriptor that leads to it: one that a parent passed by `stdio`, or that came over a socket, or what has one. It stays the caller's.
 */
export type Location = string | { readonly fd: Shareable }

/**
 * Where a publication is made: as {@link Location}; or `{ memfd }`, in new memory without a name (memfd_create(2)), which nobody can cut short
 * and which is there as long as somebody has its descriptor. The label of at most 249 bytes is shown in /proc and in messages.
 */
export type NewLocation = Location | { readonly memfd: string }

/** A location that was checked. */
export interface Place {
  /** What messages call it. */
  readonly label: string
  readonly native: NativeLocation
}

/** Throws `ERR_INVALID_NAME` for what is no location at all, `ERR_INVALID_ARGUMENT` for a bad `fd` or `memfd`. */
export function placeOf(operation: string, location: unknown): Place {
  if (typeof location === 'object' && location !== null) {
    if (Object.hasOwn(location, 'memfd')) return memory(operation, location as { memfd: unknown })
    if (Object.hasOwn(location, 'fd')) return descriptor(operation, location as { fd: unknown })
  }
  const name = checkName(operation, location)
  return { label: name, native: { name } }
}

/** The same for what is there already. */
export function existingPlaceOf(operation: string, location: unknown): Place {
  const place = placeOf(operation, location)
  if (place.native.memfd === undefined) return place
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${operation} ${place.label}: memory without a name is found by its descriptor, { fd }`)
}

/** Puts the name into a directory; without a name there is none. */
export function inDirectory(what: string, place: Place, directory: unknown): Place {
  const checked = checkDirectory(what, directory)
  if (checked === undefined) return place
  if (place.native.name === undefined) throw invalid(what, 'directory', directory, 'none: only a name has one')
  return { ...place, native: { ...place.native, directory: checked } }
}

function memory(operation: string, location: { memfd: unknown }): Place {
  const memfd = checkLabel(operation, 'memfd', checkOptions(operation, location, ['memfd']).memfd)
  return { label: `memfd:${memfd}`, native: { memfd } }
}

function descriptor(operation: string, location: { fd: unknown }): Place {
  const fd = descriptorOf(operation, 'fd', checkOptions(operation, location, ['fd']).fd)
  return { label: `descriptor ${fd}`, native: { fd } }
}
