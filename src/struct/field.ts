import type { FieldType } from './field-type.js'
import type { FieldMeta } from './meta.js'

/** One field of a struct. */
export interface Field {
  readonly name: string
  /** The type, without its meta. */
  readonly type: FieldType
  /** Where the field begins, from the struct's first byte. */
  readonly byteOffset: number
  /** Unit, description and whatever else was said with `with()`. */
  readonly meta: FieldMeta
}

/** Where the fields of a struct lie. */
export interface Layout {
  readonly byteLength: number
  readonly alignment: number
  readonly fields: readonly Field[]
}
