import { checkBoolean, checkChoice, invalid, readOptions } from '../arguments.js'
import { ArgumentError, RegionError } from '../errors.js'
import type { NativeMapOptions } from '../native.js'
import { checkAddress, checkOffset, checkSize, needSize } from './checks.js'
import type { Access, MapOptions } from './map-options.js'
import { type Origin, originOf } from './map-source.js'
import type { Seal } from './seals.js'

export const ACCESSES: readonly Access[] = ['none', 'r', 'rw', 'rx', 'rwx']

const OPTIONS = [
  'size',
  'source',
  'access',
  'sharing',
  'offset',
  'reserve',
  'address',
  'placement',
  'populate',
  'lock',
  'hugePages',
  'privateTail',
] as const

/** What is to be mapped. Everything in it was checked. */
export interface MapPlan {
  /** What messages call it. */
  readonly subject: string
  readonly access: Access
  readonly sharing: 'shared' | 'private'
  /** Whether a `SharedArrayBuffer` may show more than the object has. */
  readonly hasTail: boolean
  /** Whether JavaScript can look at it: a private mapping cannot be mapped a second time. */
  readonly isViewable: boolean
  /** What it is sealed against once it is mapped. */
  readonly seals: readonly Seal[]
  readonly native: NativeMapOptions
}

/** Throws `ERR_INVALID_ARGUMENT` or `ERR_INVALID_SIZE` for what cannot be mapped, before anything is made. */
export function planOf(options: MapOptions | undefined): MapPlan {
  const given = readOptions('map', options, OPTIONS)
  const origin = originOf(given.source)
  const what = `map ${origin.subject}`
  const sharing = checkChoice(what, 'sharing', given.sharing, ['shared', 'private'] as const) ?? 'shared'
  const access = checkChoice(what, 'access', given.access, ACCESSES) ?? (origin.isReadOnly === true ? 'r' : 'rw')
  const place = placeOf(what, given)
  const hasTail = checkBoolean(what, 'privateTail', given.privateTail) ?? false
  const { subject, isFresh: _, isReserved, isReadOnly: __, seals = [], ...source } = origin
  return {
    subject,
    access,
    sharing,
    hasTail: hasTail || origin.kind === 'anonymous',
    isViewable: sharing === 'shared' || place.address === undefined,
    seals,
    native: {
      ...source,
      subject,
      ...partOf(what, given, origin),
      ...place,
      access,
      isPrivate: sharing === 'private',
      reserve: checkBoolean(what, 'reserve', given.reserve) ?? isReserved,
      ...wishesOf(what, given),
    },
  }
}

/** What is asked for the pages besides. */
export function wishesOf(what: string, given: Partial<MapOptions>): Pick<NativeMapOptions, 'populate' | 'lock' | 'hugePages'> {
  return {
    populate: checkBoolean(what, 'populate', given.populate) ?? false,
    lock: checkBoolean(what, 'lock', given.lock) ?? false,
    hugePages: checkBoolean(what, 'hugePages', given.hugePages) ?? false,
  }
}

function partOf(
  what: string,
  { size, offset }: MapOptions,
  { kind, isFresh }: Origin,
): Pick<NativeMapOptions, 'byteLength' | 'byteOffset'> {
  const byteLength = checkSize(what, size)
  const byteOffset = checkOffset(what, offset) ?? 0
  if (!isFresh) return { byteLength, byteOffset }
  if (byteOffset !== 0) throw invalid(what, 'offset', offset, `none: ${kind} has nothing before the region`)
  return { byteLength: needSize(what, byteLength, `and ${kind} has none of its own`), byteOffset }
}

function placeOf(what: string, { address, placement, sharing }: MapOptions): Pick<NativeMapOptions, 'address' | 'placement'> {
  const choice = checkChoice(what, 'placement', placement, ['exclusive', 'hint', 'replace', 'portable'] as const)
  const place = checkAddress(what, address)
  if (choice === 'portable') return portable(what, place, sharing)
  if (place !== undefined) return { address: place, placement: choice ?? 'exclusive' }
  if (choice === undefined) return {}
  throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: placement is ${choice}, but there is no address`)
}

function portable(what: string, address: bigint | undefined, sharing: unknown): Pick<NativeMapOptions, 'placement'> {
  if (address !== undefined)
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: placement is portable, and chooses the address itself`)
  if (sharing !== 'private') return { placement: 'portable' }
  throw new RegionError('ERR_PRIVATE', `${what}: a private mapping cannot be placed for others: it would share nothing`)
}
