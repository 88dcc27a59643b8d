import { ArgumentError } from '../errors.js'
import type { Field } from './field.js'
import { checkWritable } from './guarded.js'
import type { Guard, Memory } from './memory.js'
import type { Struct } from './struct.js'

/** Makes views over `memory` of the struct that begins at `base`. */
export type LiveViewConstructor = new (struct: Struct, memory: Memory, base: number, guard: Guard) => LiveView

type Getter = (this: LiveView) => unknown

// Under a symbol, which no field's name can meet. Not a private name: V8 takes 15 ns to give that to an instance of a subclass.
const spot = Symbol('pagecast.spot')

/** What a view shows. */
class Spot {
  readonly struct: Struct
  readonly memory: Memory
  readonly base: number
  readonly guard: Guard
  /** Views of nested structs and arrays, made when first asked for. */
  parts: unknown[] | undefined = undefined

  constructor(struct: Struct, memory: Memory, base: number, guard: Guard) {
    this.struct = struct
    this.memory = memory
    this.base = base
    this.guard = guard
  }
}

/** A struct seen in place. Each struct type has a subclass with an accessor per field. */
export class LiveView {
  declare readonly [spot]: Spot

  constructor(struct: Struct, memory: Memory, base: number, guard: Guard) {
    this[spot] = new Spot(struct, memory, base, guard)
  }

  /** The subclass for structs of these fields. */
  static of(fields: readonly Field[]): LiveViewConstructor {
    class StructView extends LiveView {}
    fields.forEach((field, slot) => {
      const get = field.type.part === undefined ? LiveView.#valueGetter(field) : LiveView.#partGetter(field, slot)
      const set = LiveView.#setter(field)
      Object.defineProperty(StructView.prototype, field.name, { get, set, enumerable: true, configurable: true })
    })
    return StructView
  }

  static #valueGetter({ type, byteOffset, name }: Field): Getter {
    const read = type.reader(byteOffset, name)
    return function () {
      const { guard, memory, base } = this[spot]
      guard.check()
      return read(memory, base)
    }
  }

  static #partGetter({ type, byteOffset }: Field, slot: number): Getter {
    return function () {
      const at = this[spot]
      at.guard.check()
      at.parts ??= []
      at.parts[slot] ??= type.part?.(at.memory, at.base + byteOffset, at.guard)
      return at.parts[slot]
    }
  }

  static #setter({ type, byteOffset, name }: Field): (this: LiveView, value: unknown) => void {
    const write = type.assigner(byteOffset, name)
    return function (value) {
      const { guard, memory, base } = this[spot]
      checkWritable(guard, name)
      const problem = write(memory, base, value, guard)
      if (problem !== undefined) throw problem.toError()
    }
  }

  static structOf(view: LiveView): Struct {
    return view[spot].struct
  }

  static bytesOf(view: LiveView): Uint8Array {
    const { guard, memory, base, struct } = view[spot]
    guard.check()
    return new Uint8Array(memory.buffer, base, struct.byteLength)
  }

  static writableBytesOf(view: LiveView): Uint8Array {
    checkWritable(view[spot].guard, 'into a view')
    return LiveView.bytesOf(view)
  }

  // A field may be called toJSON too; its accessor is then found first.
  /** The values as they are now, as a plain object. */
  toJSON(): unknown {
    const { guard, memory, base, struct } = this[spot]
    guard.check()
    return struct.decode(memory, base)
  }

  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return LiveView.prototype.toJSON.call(this)
  }
}

/** The bytes of the struct that a live view shows, in place. Throws `ERR_RELEASED`, and `ERR_INVALID_ARGUMENT` for anything that is no live view. */
export function bytesOf(view: object): Uint8Array {
  if (!(view instanceof LiveView)) throw new ArgumentError('ERR_INVALID_ARGUMENT', 'bytesOf: expected a live view of a struct')
  return LiveView.bytesOf(view)
}

/** Whether `value` is a live view of a struct, as `Struct.view()` and locks give it. */
export function isLiveView(value: unknown): value is LiveView {
  return value instanceof LiveView
}
