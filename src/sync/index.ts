export { Mutex, type MutexHolder } from './mutex.js'
export type { MutexGuard } from './mutex-guard.js'
export type { MutexLockAsyncOptions, MutexLockOptions } from './mutex-options.js'
