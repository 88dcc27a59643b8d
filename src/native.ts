/** The native part, and the few numbers of its interface that are not in its types. */

export type {
  NativeBrokerOptions,
  NativeCreateOptions,
  NativeDescriptor,
  NativeHolder,
  NativeLayout,
  NativeLocation,
  NativeMapOptions,
  NativeMessage,
  NativeOpenOptions,
  NativeSysVStatus,
} from '#native'
export {
  addressSpaceLimit,
  canDetach,
  listSharedMemory,
  NativeBroker,
  NativeChannel,
  NativeConsumer,
  NativeHugePlace,
  NativeListener,
  NativeMutex,
  NativeParcel,
  NativePublisher,
  NativeRegion,
  NativeReservation,
  NativeSharedMemory,
  NativeStandby,
  now,
  pageSize,
  pagesWithin,
  parseHandle,
  setDetachKey,
  setFaultGuard,
  sysvGet,
  sysvKeyOf,
  sysvList,
  sysvRemove,
  sysvSet,
  sysvSetLocked,
  sysvStatus,
  tooManyDescriptors,
  unlinkSharedMemory,
} from '#native'

/** Instead of a buffer's index: a write is under way. */
export const WRITING = -1
/** Nothing was published yet. */
export const EMPTY = -2
/** The publisher closed the publication. */
export const CLOSED = -3
/** The name leads to another segment now. */
export const REPLACED = -4
/** The publisher died and left no whole value. */
export const DIED = -5
/** Another process cut the segment short. The native part throws instead. */
export const TRUNCATED = -6

/** Where POSIX shared memory objects are. */
export const DEFAULT_DIRECTORY = process.platform === 'darwin' ? '/tmp' : '/dev/shm'
