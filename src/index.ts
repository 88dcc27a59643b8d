/**
 * Shared memory for TypeScript: one publisher and many consumers share a value through pages of memory.
 *
 * @packageDocumentation
 */
export { Consumer } from './consumer.js'
export type {
  Change,
  ChangesOptions,
  OpenDynamicOptions,
  OpenOptions,
  ReadLockAsyncOptions,
  ReadOptions,
  WaitOptions,
} from './consumer-options.js'
export type { PublicationType } from './encoding.js'
export { ArgumentError, LockError, PagecastError, PublicationError, SchemaError, SegmentError } from './errors.js'
export { Publisher } from './publisher.js'
export type { CloseOptions, CreateOptions, WriteLockOptions, WriteOptions } from './publisher-options.js'
export type { ReadLock } from './read-lock.js'
export {
  type ArrayType,
  array,
  BytesType,
  bool,
  bytes,
  bytesOf,
  type Field,
  type FieldMeta,
  FieldType,
  f32,
  f64,
  type Infer,
  type InferInput,
  type InferLive,
  type InferReadonlyLive,
  i8,
  i16,
  i32,
  i64,
  type LiveArray,
  type ReadonlyLiveArray,
  type ReadonlyTypedArray,
  Struct,
  type StructInput,
  type StructLive,
  type StructReadonlyLive,
  type StructValue,
  struct,
  structFromSchema,
  type TextType,
  text,
  u8,
  u16,
  u32,
  u64,
  type WideInteger,
  type WideIntegerOptions,
} from './struct/index.js'
export { DEFAULT_TIMEOUT } from './waiting.js'
export type { WriteLock } from './write-lock.js'
