import type { FieldMeta } from './meta.js'

export type ScalarKind = 'i8' | 'u8' | 'i16' | 'u16' | 'i32' | 'u32' | 'i64' | 'u64' | 'f32' | 'f64' | 'bool'

/** A type as the schema's JSON writes it. */
export type TypeSchema =
  | ScalarKind
  | { readonly text: number }
  | { readonly bytes: number }
  | { readonly array: TypeSchema; readonly length: number }
  | { readonly struct: StructSchema }

/** A field as the schema's JSON writes it; `meta` is left out when it is empty. */
export interface FieldSchema {
  readonly name: string
  readonly type: TypeSchema
  readonly byteOffset: number
  readonly meta?: FieldMeta
}

/** A struct as the schema's JSON writes it. The order of the keys, here and above, is part of the format. */
export interface StructSchema {
  readonly byteLength: number
  readonly alignment: number
  readonly fields: readonly FieldSchema[]
}
