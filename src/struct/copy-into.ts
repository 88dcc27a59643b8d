import { ArgumentError } from '../errors.js'
import { ArrayType } from './array-type.js'
import type { FieldType } from './field-type.js'
import { isLiveView, LiveView } from './live-view.js'
import { matchSchema } from './match.js'
import type { Memory } from './memory.js'
import { Struct } from './struct.js'

const matches = new WeakMap<Struct, WeakMap<Struct, Struct>>()

/**
 * Copies the struct that begins at `byteOffset` to where `view` looks (see `Struct.view()`), field by field where the
 * two layouts differ. Throws `ERR_SCHEMA_MISMATCH` where the struct lacks a field of the view, `ERR_RELEASED`,
 * `ERR_READ_ONLY`, and `ERR_INVALID_ARGUMENT` for anything that is no live view.
 */
export function copyInto(view: object, type: Struct, memory: Memory, byteOffset: number): void {
  if (!isLiveView(view)) throw new ArgumentError('ERR_INVALID_ARGUMENT', 'readInto: expected a Uint8Array or a view of a struct')
  const target = LiveView.writableBytesOf(view)
  const own = LiveView.structOf(view)
  copy(matched(own, type), own, memory.bytes, byteOffset, target, 0)
}

function matched(own: Struct, type: Struct): Struct {
  const known = matches.get(type) ?? new WeakMap<Struct, Struct>()
  matches.set(type, known)
  const match = known.get(own) ?? matchSchema(own, type)
  known.set(own, match)
  return match
}

/** `from` is `to` at other offsets. */
function copy(from: FieldType, to: FieldType, source: Uint8Array, at: number, target: Uint8Array, targetAt: number): void {
  if (from === to) {
    target.set(source.subarray(at, at + to.byteLength), targetAt)
  } else if (from instanceof Struct && to instanceof Struct) {
    to.fields.forEach(({ type, byteOffset }, slot) => {
      const field = from.fields[slot]
      if (field !== undefined) copy(field.type, type, source, at + field.byteOffset, target, targetAt + byteOffset)
    })
  } else if (from instanceof ArrayType && to instanceof ArrayType) {
    for (let index = 0; index < to.length; index++) {
      const fromElement = at + index * from.element.byteLength
      copy(from.element, to.element, source, fromElement, target, targetAt + index * to.element.byteLength)
    }
  }
}
