import { invalid } from '../arguments.js'
import type { NativeMessage } from '../native.js'
import { checkBytes } from '../region/checks.js'
import { Descriptor } from '../region/descriptor.js'
import { descriptorOf, type Shareable } from '../shareable.js'

/** What is sent. It has bytes, descriptors, or both. */
export interface Parcel {
  /** At most 65,536. Default: none. */
  bytes?: Uint8Array
  /** At most 16. They stay the caller's; the receiver gets descriptors of its own, of the same objects. Default: none. */
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

/** Bytes to be sent, which may be missing. */
export function bytesOf(what: string, bytes: unknown): Uint8Array {
  return bytes === undefined ? new Uint8Array() : checkBytes(what, 'bytes', bytes)
}

export function numbersOf(what: string, descriptors: unknown): number[] {
  if (descriptors === undefined) return []
  if (!Array.isArray(descriptors)) throw invalid(what, 'descriptors', descriptors, 'an array')
  return Array.from(descriptors, (descriptor, index) => descriptorOf(what, `descriptors[${index}]`, descriptor))
}
