import { checkId, invalid } from '../arguments.js'
import type { NativeMessage } from '../native.js'
import { checkBytes } from '../region/checks.js'
import { Region } from '../region/region.js'
import { SharedMemory } from '../region/shared-memory.js'
import { Descriptor } from './descriptor.js'

/** What can be sent: the object behind a region, or what a descriptor leads to. The receiver gets a descriptor of its own. */
export type Shareable = Region | SharedMemory | Descriptor | number

/** What is sent. It has bytes, descriptors, or both. */
export interface Parcel {
  /** At most 65,536. Default: none. */
  bytes?: Uint8Array
  /** At most 16. They stay the caller's. Default: none. */
  descriptors?: readonly Shareable[]
}

/** What was received. {@link Message.close} closes those of its descriptors that were not taken; `using` does. */
export class Message {
  /** Its bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Its descriptors. */
  readonly descriptors: readonly Descriptor[]

  /** @internal */
  constructor(native: NativeMessage, what: string) {
    this.bytes = new Uint8Array(native.byteLength)
    native.copyInto(this.bytes)
    this.descriptors = native.takeDescriptors().map((descriptor, index) => new Descriptor(descriptor, `descriptor ${index} of ${what}`))
  }

  /** Closes its descriptors. Twice is once. */
  close(): void {
    for (const descriptor of this.descriptors) descriptor.close()
  }

  /** As {@link Message.close}. */
  [Symbol.dispose](): void {
    this.close()
  }
}

/** The number of what is to be sent. */
export function numberOf(what: string, argument: string, shareable: unknown): number {
  if (shareable instanceof Region || shareable instanceof SharedMemory || shareable instanceof Descriptor) return shareable.fd
  if (typeof shareable === 'number') return checkId(what, argument, shareable)
  throw invalid(what, argument, shareable, 'a Region, a SharedMemory, a Descriptor, or the number of a descriptor')
}

/** Bytes to be sent, which may be missing. */
export function bytesOf(what: string, bytes: unknown): Uint8Array {
  return bytes === undefined ? new Uint8Array() : checkBytes(what, 'bytes', bytes)
}

export function numbersOf(what: string, descriptors: unknown): number[] {
  if (descriptors === undefined) return []
  if (!Array.isArray(descriptors)) throw invalid(what, 'descriptors', descriptors, 'an array')
  return Array.from(descriptors, (descriptor, index) => numberOf(what, `descriptors[${index}]`, descriptor))
}
