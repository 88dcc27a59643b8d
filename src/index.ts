/**
 * Shared memory for TypeScript: one publisher and many consumers share a value through pages of memory.
 *
 * @packageDocumentation
 */
import './addon.js'

export * from './broker/index.js'
export * from './channel/index.js'
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
export {
  ArgumentError,
  ChannelError,
  LockError,
  PagecastError,
  PublicationError,
  RegionError,
  SchemaError,
  SegmentError,
} from './errors.js'
export { setFaultGuard } from './fault-guard.js'
export type { Location, NewLocation } from './location.js'
export { Publisher } from './publisher.js'
export type { CloseOptions, CreateOptions, StandbyOptions, WriteLockOptions, WriteOptions } from './publisher-options.js'
export type { ReadLock } from './read-lock.js'
export * from './region/index.js'
export type { Shareable } from './shareable.js'
export * from './struct/index.js'
export * from './sync/index.js'
export { DEFAULT_TIMEOUT } from './waiting.js'
export type { WriteLock } from './write-lock.js'
