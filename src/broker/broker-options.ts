import { checkInteger, checkOptions, invalid } from '../arguments.js'
import type { NativeBrokerOptions } from '../native.js'
import type { MapOptions } from '../region/map-options.js'

/** How {@link Broker.listen} serves. */
export interface BrokerOptions {
  /** Users that may connect, besides the broker's own and root; all others get `ERR_PERMISSION` (unix(7), SO_PEERCRED). Default: none. */
  uids?: readonly number[]
  /**
   * Permission bits of the socket, exactly these. Default: `0o600`, or `0o666` if `uids` has any, which then decide. Whoever may open it, though refused, can keep
   * others from being accepted for as long as what it sent hangs when it is closed; who is connected is served.
   */
  mode?: number
  /** Bytes of all objects together, as long as they are when one is added; then `ERR_BROKER_LIMIT`. Default 1 GiB. */
  maxBytes?: number
  /** Names in all, each of which costs the broker a descriptor. Default 512. */
  maxNames?: number
  /** Names of one client. Default 128. */
  maxNamesPerClient?: number
  /** Clients at once. Default 128. */
  maxClients?: number
  /** Whether the broker keeps the process alive; {@link Broker.ref} changes it. Default false. */
  ref?: boolean
}

/** How a call to a broker waits. */
export interface BrokerCallOptions {
  /** Milliseconds until `ERR_TIMEOUT`. Default 5000. Finite; for as long as it takes, `Number.MAX_SAFE_INTEGER`. */
  timeout?: number
  /** Ends the call with `ERR_ABORTED`. What it had begun is undone. */
  signal?: AbortSignal
}

/** How {@link Broker.connect} connects. */
export interface BrokerConnectOptions extends BrokerCallOptions {
  /** Whether to wait until a broker listens. Default false: then it is `ERR_NOT_FOUND`. */
  wait?: boolean
  /** Users whose broker is trusted, besides this process's own and root; any other one is `ERR_PERMISSION`. Default: none. */
  uids?: readonly number[]
}

/** What {@link BrokerClient.allocate} makes. All but these options are those of {@link Region.map}. */
export interface AllocateOptions extends BrokerCallOptions, Omit<MapOptions, 'source' | 'access' | 'sharing' | 'offset'> {
  /** Bytes. Nobody can make it shorter or longer. */
  size: number
  /** Whether the name stays when this client is gone, until somebody frees it. Default false. */
  keep?: boolean
}

/** How {@link BrokerClient.share} gives a name. */
export interface ShareOptions extends BrokerCallOptions {
  /** Whether the name stays when this client is gone, until somebody frees it. Default false. */
  keep?: boolean
}

/** How {@link BrokerClient.get} gets and maps. All but these options are those of {@link Region.map}. */
export interface GetOptions extends BrokerCallOptions, Omit<MapOptions, 'source'> {
  /** Whether to wait until somebody gives it the name. Default false: then it is `ERR_NOT_FOUND`. */
  wait?: boolean
}

/** One of the names that {@link BrokerClient.list} found. */
export interface BrokerEntry {
  /** The name. */
  readonly name: string
  /** The object's length in bytes, now. */
  readonly byteLength: number
  /** The process whose it is; `undefined` of one that is kept, and whose owner is gone. */
  readonly pid: number | undefined
  /** Whether it stays when its owner is gone. */
  readonly keep: boolean
}

const OPTIONS = ['uids', 'mode', 'maxBytes', 'maxNames', 'maxNamesPerClient', 'maxClients', 'ref'] as const
const MOST_ID = 2 ** 32 - 1
const MOST_COUNT = 2 ** 31 - 1

export function brokerOptionsOf(what: string, options: BrokerOptions | undefined): NativeBrokerOptions {
  const given = checkOptions(what, options, OPTIONS)
  return {
    uids: checkUsers(what, given.uids),
    mode: checkInteger(what, 'mode', given.mode, 0, 0o777),
    maxBytes: checkInteger(what, 'maxBytes', given.maxBytes, 1, Number.MAX_SAFE_INTEGER),
    maxNames: checkInteger(what, 'maxNames', given.maxNames, 1, MOST_COUNT),
    maxNamesPerClient: checkInteger(what, 'maxNamesPerClient', given.maxNamesPerClient, 1, MOST_COUNT),
    maxClients: checkInteger(what, 'maxClients', given.maxClients, 1, MOST_COUNT),
  }
}

export function checkUsers(what: string, uids: unknown): number[] {
  if (uids === undefined) return []
  if (!Array.isArray(uids)) throw invalid(what, 'uids', uids, 'an array of user ids')
  return Array.from(uids, (uid, index) => {
    const checked = checkInteger(what, `uids[${index}]`, uid, 0, MOST_ID)
    if (checked === undefined) throw invalid(what, `uids[${index}]`, uid, `an integer from 0 to ${MOST_ID}`)
    return checked
  })
}
