import { ChannelError, fromNative } from '../errors.js'

/** What a broker answers: see `broker/mod.rs`. Nothing in it was checked but its form. */
export interface Reply {
  readonly id: number
  readonly error?: string
  readonly message?: string
  readonly entries?: unknown
  readonly more?: unknown
}

/** What it says first. */
export const VERSION = 1

const decoder = new TextDecoder()

/** Throws `ERR_BAD_MESSAGE` for what no broker says. */
export function parse(what: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    const said: unknown = JSON.parse(decoder.decode(bytes))
    if (typeof said === 'object' && said !== null) return said as Record<string, unknown>
  } catch {}
  throw badMessage(what, 'not what a broker says')
}

export function badMessage(what: string, fact: string): ChannelError {
  return new ChannelError('ERR_BAD_MESSAGE', `${what}: ${fact}`)
}

/** Why it refuses, if it does. */
export function refusalIn(what: string, { error, message }: Record<string, unknown>): unknown {
  if (error === undefined) return undefined
  if (typeof error !== 'string' || typeof message !== 'string' || !/^ERR_[A-Z_]{1,40}$/.test(error)) {
    return badMessage(what, 'not what a broker says')
  }
  return fromNative(Object.assign(new Error(`${what}: the broker says: ${message}`), { code: error }))
}
