import { ArgumentError } from '../errors.js'
import type { Field } from './field.js'
import type { FieldType } from './field-type.js'
import { checkWritable } from './guarded.js'
import type { Guard, Memory } from './memory.js'
import type { Struct } from './struct.js'

/** Makes views over `memory` of the struct that begins at `base`. */
export type LiveViewConstructor = new (struct: Struct, memory: Memory, base: number, guard: Guard) => LiveView

type Getter = (this: LiveView) => unknown

/** A struct seen in place. Each struct type has a subclass with an accessor per field. */
export class LiveView {
  readonly #struct: Struct
  readonly #memory: Memory
  readonly #base: number
  readonly #guard: Guard
  /** Views of nested structs and arrays, made when first asked for. */
  #parts: unknown[] | undefined

  constructor(struct: Struct, memory: Memory, base: number, guard: Guard) {
    this.#struct = struct
    this.#memory = memory
    this.#base = base
    this.#guard = guard
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
      this.#guard.check()
      return read(this.#memory, this.#base)
    }
  }

  static #partGetter({ type, byteOffset }: Field, slot: number): Getter {
    return function () {
      return this.#part(type, byteOffset, slot)
    }
  }

  #part(type: FieldType, byteOffset: number, slot: number): unknown {
    this.#guard.check()
    this.#parts ??= []
    this.#parts[slot] ??= type.part?.(this.#memory, this.#base + byteOffset, this.#guard)
    return this.#parts[slot]
  }

  static #setter({ type, byteOffset, name }: Field): (this: LiveView, value: unknown) => void {
    const write = type.assigner(byteOffset, name)
    return function (value) {
      checkWritable(this.#guard, name)
      const problem = write(this.#memory, this.#base, value)
      if (problem !== undefined) throw problem.toError()
    }
  }

  static structOf(view: LiveView): Struct {
    return view.#struct
  }

  static bytesOf(view: LiveView): Uint8Array {
    view.#guard.check()
    return new Uint8Array(view.#memory.buffer, view.#base, view.#struct.byteLength)
  }

  static writableBytesOf(view: LiveView): Uint8Array {
    checkWritable(view.#guard, 'into a view')
    return LiveView.bytesOf(view)
  }

  // A field may be called toJSON too; its accessor is then found first.
  /** The values as they are now, as a plain object. */
  toJSON(): unknown {
    this.#guard.check()
    return this.#struct.decode(this.#memory, this.#base)
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
