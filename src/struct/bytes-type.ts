import { FieldType, type Reader, type Writer } from './field-type.js'
import { checkLength } from './limits.js'
import type { Memory } from './memory.js'
import { Problem } from './problem.js'
import { staged } from './staged.js'
import { asTypedArray, type ReadonlyTypedArray, typedArrayLength } from './typed-arrays.js'

/**
 * Bytes without a meaning of their own. As a field: exactly `byteLength` of them.
 * As the type of a whole publication: values of at most `byteLength` bytes, and no schema.
 */
export class BytesType extends FieldType<
  Uint8Array<ArrayBuffer>,
  Uint8Array | ReadonlyTypedArray<Uint8Array>,
  Uint8Array,
  ReadonlyTypedArray<Uint8Array>
> {
  readonly byteLength: number
  readonly alignment = 1
  readonly schema: { readonly bytes: number }

  constructor(byteLength: number) {
    super()
    checkLength('bytes', byteLength)
    this.byteLength = byteLength
    this.schema = { bytes: byteLength }
  }

  reader(byteOffset: number): Reader<Uint8Array<ArrayBuffer>> {
    const { byteLength } = this
    return ({ bytes }, base) => {
      const copy = new Uint8Array(byteLength)
      copy.set(bytes.subarray(base + byteOffset, base + byteOffset + byteLength))
      return copy
    }
  }

  writer(byteOffset: number, name: string): Writer {
    const { byteLength } = this
    return ({ bytes }, base, value) => {
      const given = asTypedArray(value, 'Uint8Array')
      if (given === undefined || typedArrayLength(given) !== byteLength) {
        return new Problem(name, `a Uint8Array of ${byteLength} bytes`, value)
      }
      bytes.set(given as Uint8Array, base + byteOffset)
      return undefined
    }
  }

  override assigner(byteOffset: number, name: string): Writer {
    return staged(this, byteOffset, name)
  }

  override part({ buffer }: Memory, byteOffset: number): Uint8Array {
    return new Uint8Array(buffer, byteOffset, this.byteLength)
  }

  toString(): string {
    return `bytes(${this.byteLength})`
  }
}

/**
 * Bytes without a meaning of their own: a field of exactly `byteLength` bytes, or, as the type of a whole publication,
 * values of at most so many.
 */
export function bytes(byteLength: number): BytesType {
  return new BytesType(byteLength)
}
