/** What a system call said, where one was involved. */
export interface ErrorDetails {
  syscall?: string | undefined
  errno?: number | undefined
  cause?: unknown
}

/**
 * Every error pagecast throws on purpose. `code` is stable and starts with `ERR_`; the message is for people. Itself it is what importing the
 * library fails with: `ERR_UNSUPPORTED_PLATFORM`, `ERR_ADDON_MISSING`, `ERR_ADDON_UNLOADABLE`, `ERR_ADDONS_DISABLED`.
 */
export class PagecastError extends Error {
  readonly code: string
  /** The system call that failed, if one did. */
  declare readonly syscall?: string
  /** The system's error number, if there is one. */
  declare readonly errno?: number

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    if (details.syscall !== undefined) this.syscall = details.syscall
    if (details.errno !== undefined) this.errno = details.errno
  }
}

/** An argument or a value that cannot be used: `ERR_INVALID_*`, `ERR_MISSING_FIELD`, `ERR_UNKNOWN_FIELD`, `ERR_VALUE_RANGE`. */
export class ArgumentError extends PagecastError {}

/** A schema that is malformed or is not the one expected: `ERR_INVALID_SCHEMA`, `ERR_SCHEMA_MISMATCH`. */
export class SchemaError extends PagecastError {}

/**
 * A segment that cannot be created, opened or trusted: `ERR_NOT_FOUND`, `ERR_ALREADY_EXISTS`, `ERR_PUBLISHER_EXISTS`, `ERR_TOO_MANY_CONSUMERS`,
 * `ERR_NOT_A_SEGMENT`, `ERR_CORRUPT`, `ERR_TRUNCATED`, `ERR_UNSUPPORTED_FORMAT`, `ERR_LOCK_OBSTRUCTED`. Or a system that refused: `ERR_NO_SPACE`,
 * `ERR_ADDRESS_SPACE`, `ERR_TOO_MANY_FILES`, `ERR_PERMISSION`, `ERR_READ_ONLY_FILESYSTEM`, `ERR_ENGINE_PAGES_UNAVAILABLE`, `ERR_UNSUPPORTED`,
 * and `ERR_SYSTEM` for all else, with `syscall` and `errno`.
 */
export class SegmentError extends PagecastError {}

/**
 * A lock that was not had in time, is no longer held, or is one for reading: `ERR_TIMEOUT`, `ERR_BUSY`, `ERR_ALREADY_LOCKED`, `ERR_RELEASED`,
 * `ERR_READ_ONLY`, `ERR_ABORTED`.
 */
export class LockError extends PagecastError {}

/** A publication that ended or has nothing to give: `ERR_CLOSED`, `ERR_REPLACED`, `ERR_PUBLISHER_DIED`, `ERR_EMPTY`, `ERR_DISPOSED`. */
export class PublicationError extends PagecastError {}

/**
 * Pages that cannot be mapped as asked, or be used so: `ERR_ADDRESS_IN_USE`, `ERR_UNMAPPED`, `ERR_NO_ACCESS`, `ERR_HUGE_PAGES`, `ERR_LOCK_LIMIT`,
 * `ERR_PRIVATE`. A code that regions have in common with others has the one class there is for it: `ERR_TRUNCATED`, `ERR_NOT_FOUND` and what the
 * system refuses are a {@link SegmentError}, `ERR_READ_ONLY` is a {@link LockError}, `ERR_DISPOSED` and `ERR_REPLACED` are a
 * {@link PublicationError}.
 */
export class RegionError extends PagecastError {}

/**
 * A channel or broker that is gone, refuses, or says what makes no sense: `ERR_PEER_GONE`, `ERR_BROKER_GONE`, `ERR_BROKER_LIMIT`, `ERR_BAD_MESSAGE`.
 */
export class ChannelError extends PagecastError {}

type Family = new (code: string, message: string, details?: ErrorDetails) => PagecastError

const families: readonly (readonly [Family, readonly string[]])[] = [
  [SchemaError, ['ERR_INVALID_SCHEMA', 'ERR_SCHEMA_MISMATCH']],
  [ArgumentError, ['ERR_MISSING_FIELD', 'ERR_UNKNOWN_FIELD', 'ERR_VALUE_RANGE']],
  [LockError, ['ERR_TIMEOUT', 'ERR_BUSY', 'ERR_ALREADY_LOCKED', 'ERR_RELEASED', 'ERR_READ_ONLY', 'ERR_ABORTED']],
  [PublicationError, ['ERR_CLOSED', 'ERR_REPLACED', 'ERR_PUBLISHER_DIED', 'ERR_EMPTY', 'ERR_DISPOSED']],
  [RegionError, ['ERR_ADDRESS_IN_USE', 'ERR_UNMAPPED', 'ERR_NO_ACCESS', 'ERR_HUGE_PAGES', 'ERR_LOCK_LIMIT', 'ERR_PRIVATE']],
  [ChannelError, ['ERR_PEER_GONE', 'ERR_BROKER_GONE', 'ERR_BROKER_LIMIT', 'ERR_BAD_MESSAGE']],
]

const familyOf = new Map<string, Family>(families.flatMap(([family, codes]) => codes.map(code => [code, family] as const)))

// On the prototype: an own `name` would be printed with every error.
for (const family of [PagecastError, ArgumentError, SchemaError, SegmentError, LockError, PublicationError, RegionError, ChannelError]) {
  Object.defineProperty(family.prototype, 'name', { value: family.name, configurable: true, writable: true })
}

/**
 * Gives an error of the native part its family. An error without an `ERR_` code (and whatever is no error) comes back as it is.
 * A code no other family claims is the segment's.
 */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PagecastError) return error
  const { code, syscall, errno } = error as Error & { code?: unknown; syscall?: unknown; errno?: unknown }
  if (typeof code !== 'string' || !code.startsWith('ERR_')) return error
  const family = familyOf.get(code) ?? (code.startsWith('ERR_INVALID_') ? ArgumentError : SegmentError)
  return new family(code, error.message, {
    syscall: typeof syscall === 'string' ? syscall : undefined,
    errno: typeof errno === 'number' ? errno : undefined,
  })
}

/** Whether it says that another process cut the segment short. */
export function isTruncation(error: unknown): boolean {
  return error instanceof PagecastError && error.code === 'ERR_TRUNCATED'
}

/** Calls into the native part; what it throws is rethrown as {@link fromNative} sees it. */
export function attempt<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw fromNative(error)
  }
}
