import { checkBoolean, checkChoice, checkOptions, invalid } from '../arguments.js'
import { ArgumentError, attempt } from '../errors.js'
import { parseHandle } from '../native.js'
import { descriptorOf, type Shareable } from '../shareable.js'
import type { Access, MapOptions } from './map-options.js'
import { ACCESSES, type MapPlan, wishesOf } from './map-plan.js'

/**
 * A region, named for other processes: where it stands, and where its object is. A plain object that survives `structuredClone`, `process.send` and
 * JSON; in Rust it is `Handle::from_json` and `to_json`. It holds nothing: the object lives as long as it has a name or somebody has it open or mapped.
 */
export type RegionHandle = OpenHandle | SysVHandle

/** What every handle says. */
interface Placed {
  readonly kind: 'pagecast.region'
  /** Of this format. */
  readonly version: 1
  /** Where the first byte is, in hexadecimal digits: `BigInt(handle.address)`. */
  readonly address: string
  /** Bytes. */
  readonly byteLength: number
  /** Bytes into the object where the region begins. */
  readonly byteOffset: number
  /** What may be done with the pages. */
  readonly access: Access
}

/** The handle of what can be open: a file, an object of shared memory, a memfd. */
export interface OpenHandle extends Placed {
  /** Which object it is (stat(2), `st_dev` and `st_ino`), in decimal digits: no other one is ever mapped. */
  readonly device: string
  readonly inode: string
  /**
   * When it was made, in nanoseconds since 1970, in decimal digits (statx(2), `stx_btime`): a filesystem may give its inode to a later file. Undefined where the
   * filesystem does not say; then device and inode have to do.
   */
  readonly bornAt?: string
  /** The name of shared memory that led to the object when the handle was made, and its directory. */
  readonly shm?: string
  readonly directory?: string
  /** Or the absolute path of the file. Neither: it has no name. */
  readonly file?: string
  /** The process that made the handle, and the descriptor by which it has the object open. */
  readonly pid: number
  readonly fd: number
  readonly sysv?: undefined
  readonly changedAt?: undefined
}

/**
 * The handle of a SysV segment. It is good until somebody sets the segment's owner or permissions (`SysVSharedMemory.set`); also when the segment was removed
 * meanwhile, as long as somebody has it attached.
 */
export interface SysVHandle extends Placed {
  /** The segment's id. */
  readonly sysv: number
  /** When it was made, or its owner or permissions were changed, in seconds since 1970 (`shm_ctime`): a later segment of the same id is never mapped. */
  readonly changedAt: number
  /** The IPC namespace in which it has the id (stat(2) of `/proc/self/ns/ipc`, `st_dev` and `st_ino`), in decimal digits. */
  readonly device: string
  readonly inode: string
  readonly bornAt?: undefined
  readonly shm?: undefined
  readonly directory?: undefined
  readonly file?: undefined
  readonly pid?: undefined
  readonly fd?: undefined
}

/** How {@link Region.fromHandle} maps. */
export interface FromHandleOptions extends Pick<MapOptions, 'access' | 'reserve' | 'populate' | 'lock' | 'hugePages' | 'privateTail'> {
  /**
   * A descriptor of the object that was handed on, by `stdio` or over a socket, or what has one. It is duplicated, so it stays the caller's. Default: the object is opened by
   * its name, and where that does not lead to it, or there is none, as `/proc/PID/fd/N` of the process that made the handle, while it has it open. A SysV segment
   * has no descriptor, and is attached by its id.
   */
  fd?: Shareable
  /** What may be done with the pages; more than the handle's is an error only if the object does not permit it. Default: the handle's. */
  access?: Access
  /** As {@link MapOptions.reserve}. Default false, for whatever object. */
  reserve?: boolean
  /** As {@link MapOptions.placement}, at the handle's address. Default `'exclusive'`. With `'hint'` absolute addresses may mean something else here. */
  placement?: 'exclusive' | 'hint' | 'replace'
}

const OPTIONS = ['fd', 'access', 'reserve', 'placement', 'populate', 'lock', 'hugePages', 'privateTail'] as const

/** What is to be mapped. A handle is anybody's: all of it is checked, by the native part, which knows its format. */
export function planOfHandle(handle: unknown, options: FromHandleOptions | undefined): MapPlan {
  const text = textOf(handle)
  const { subject, access: wanted, isSysv, ...part } = attempt(() => parseHandle(text))
  const what = `map ${subject}`
  const given = checkOptions(what, options, OPTIONS)
  const access = checkChoice(what, 'access', given.access, ACCESSES) ?? (wanted as Access)
  const fd = given.fd === undefined ? undefined : descriptorOf(what, 'fd', given.fd)
  if (isSysv && fd !== undefined) throw invalid(what, 'fd', fd, 'none: a SysV segment has no descriptor')
  return {
    subject,
    access,
    sharing: 'shared',
    hasTail: checkBoolean(what, 'privateTail', given.privateTail) ?? false,
    isViewable: true,
    seals: [],
    native: {
      kind: 'handle',
      handle: text,
      fd,
      subject,
      ...part,
      placement: checkChoice(what, 'placement', given.placement, ['exclusive', 'hint', 'replace'] as const) ?? 'exclusive',
      access,
      isPrivate: false,
      reserve: checkBoolean(what, 'reserve', given.reserve) ?? false,
      ...wishesOf(what, given),
    },
  }
}

/** The handle as it is now: what a getter says later does not matter. */
function textOf(handle: unknown): string {
  if (typeof handle !== 'object' || handle === null || Array.isArray(handle)) throw invalid('fromHandle', 'handle', handle, 'an object')
  let text: string | undefined
  try {
    text = JSON.stringify(handle)
  } catch (cause) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', 'fromHandle: the handle cannot be written as JSON', { cause })
  }
  if (text !== undefined) return text
  throw new ArgumentError('ERR_INVALID_ARGUMENT', 'fromHandle: the handle says that it is no JSON')
}
