import { checkChoice } from '../arguments.js'
import { ArgumentError } from '../errors.js'
import { bytesOf } from './buffers.js'
import { checkBytes, checkCount, checkIndex, outside } from './checks.js'
import type { Mapping } from './mapping.js'

/** Reading and writing a region as one does a file: copies from where the last one ended. */
export class Cursor {
  readonly #mapping: Mapping
  #position = 0

  constructor(mapping: Mapping) {
    this.#mapping = mapping
  }

  get position(): number {
    return this.#position
  }

  /** A region that was made shorter may have taken the place away. */
  clamp(): void {
    this.#position = Math.min(this.#position, this.#mapping.byteLength)
  }

  read(byteLength: unknown): Uint8Array {
    const what = this.#mapping.what('read')
    const asked = checkCount(what, 'byteLength', byteLength)
    this.#mapping.check('read')
    const target = allocate(what, Math.min(asked ?? Number.POSITIVE_INFINITY, this.#left))
    this.#copyInto('read', target)
    return target
  }

  readInto(target: unknown): number {
    const bytes = bytesOf(checkBytes(this.#mapping.what('readInto'), 'target', target))
    const part = bytes.subarray(0, this.#left)
    this.#copyInto('readInto', part)
    return part.length
  }

  #copyInto(operation: string, target: Uint8Array): void {
    const { position } = this
    const copy = this.#mapping.owns(target.buffer) ? new Uint8Array(target.length) : target
    this.#mapping.call(operation, native => native.read(position, copy))
    if (copy !== target) target.set(copy)
    this.#position = position + target.length
  }

  write(source: unknown): number {
    const what = this.#mapping.what('write')
    const bytes = bytesOf(checkBytes(what, 'source', source))
    const { length } = bytes
    const { position } = this
    this.#mapping.check('write')
    if (length > this.#left) {
      throw new ArgumentError('ERR_INVALID_SIZE', `${what}: ${length} bytes do not fit into the ${this.#left} that are left`)
    }
    const copy = this.#mapping.owns(bytes.buffer) ? bytes.slice() : bytes
    this.#mapping.call('write', native => native.write(position, copy))
    this.#position = position + length
    return length
  }

  seek(byteOffset: unknown, whence: unknown): number {
    const what = this.#mapping.what('seek')
    const offset = checkIndex(what, 'byteOffset', byteOffset)
    const from = checkChoice(what, 'whence', whence, ['start', 'current', 'end'] as const) ?? 'start'
    this.#mapping.check('seek')
    const { byteLength } = this.#mapping
    const position = offset + { start: 0, current: this.position, end: byteLength }[from]
    if (position < 0 || position > byteLength) throw outside(what, 'the new position', position, `one from 0 to ${byteLength}`)
    this.#position = position
    return position
  }

  get #left(): number {
    return this.#mapping.byteLength - this.position
  }
}

function allocate(what: string, byteLength: number): Uint8Array {
  try {
    return new Uint8Array(byteLength)
  } catch (cause) {
    const message = `${what}: ${byteLength.toLocaleString('en-US')} bytes are more than one array can have here; read less at once`
    throw new ArgumentError('ERR_INVALID_SIZE', message, { cause })
  }
}
