import { checkId, invalid } from './arguments.js'

/**
 * The number of a descriptor, or what has one and says it as its `fd`: a `Region`, an `Overlay`, a `SharedMemory`, a `Publisher`, a `Consumer`, a `Descriptor`
 * that was received, or a `FileHandle` of Node's. It stays the caller's, and what was closed throws its own `ERR_DISPOSED`.
 */
export type Shareable = number | { readonly fd: number }

const EXPECTED =
  'the number of a descriptor, or what has one: a Region, an Overlay, a SharedMemory, a Publisher, a Consumer or a Descriptor'

/** The number of the descriptor, wherever one is taken. By what it says and not by its class: those import what needs this. */
export function descriptorOf(what: string, argument: string, shareable: unknown): number {
  if (typeof shareable !== 'object' || shareable === null) return checkId(what, argument, shareable)
  const { fd } = shareable as { fd?: unknown }
  if (fd === undefined) throw invalid(what, argument, shareable, EXPECTED)
  return checkId(what, `${argument}.fd`, fd)
}
