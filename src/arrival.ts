import { type FSWatcher, watch } from 'node:fs'
import { elapsed } from './clock.js'
import { LockError, SegmentError } from './errors.js'
import { DEFAULT_DIRECTORY } from './native.js'
import { Bell, type Subscribe, sleep, throwIfAborted } from './sleep.js'

/** How often it is looked anyway, in milliseconds: the kernel drops events that nobody fetches, and a directory can be made anew. */
const LOOK = 1000

/** What is awaited, and how long. */
export interface Arrival<T> {
  readonly what: string
  readonly name: string
  readonly directory: string | undefined
  /** Looks for it; undefined: not there yet. */
  attempt(): T | undefined
  /** Milliseconds. Default `Infinity`: until the signal. */
  readonly timeout?: number | undefined
  /** What the caller gave as the time for all, if `timeout` is what is left of it. */
  readonly timeoutInAll?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Default true: the wait keeps the process alive. */
  readonly ref?: boolean | undefined
  /** Another reason to look again. */
  readonly also?: Subscribe
}

/** Waits until a segment of that name comes or lives again. The directory tells, mostly: see {@link LOOK}. */
export async function arrival<T>(awaited: Arrival<T>): Promise<T> {
  const { what, name, directory, attempt, timeout = Number.POSITIVE_INFINITY, timeoutInAll = timeout, signal, ref = true, also } = awaited
  throwIfAborted(what, signal)
  const start = elapsed()
  using changes = new DirectoryChanges(what, directory ?? DEFAULT_DIRECTORY, name, ref) // before the first look, so that nothing is missed
  for (;;) {
    const found = attempt()
    if (found !== undefined) return found
    const ms = timeout - (elapsed() - start)
    if (ms <= 0) throw new LockError('ERR_TIMEOUT', `${what}: no publication of that name came within ${timeoutInAll} ms`)
    await sleep({ ms: Math.min(ms, LOOK), signal, ref }, changes.subscribe, ...(also === undefined ? [] : [also]))
    throwIfAborted(what, signal)
    changes.check()
  }
}

/** Rings when a file of that name appears, changes or goes. */
class DirectoryChanges {
  readonly #bell = new Bell()
  readonly #watch: FSWatcher
  readonly #fail: (cause: unknown) => SegmentError
  #failure: SegmentError | undefined

  constructor(what: string, directory: string, name: string, ref: boolean) {
    this.#fail = cause => watchError(what, directory, cause)
    try {
      this.#watch = watch(directory, { persistent: ref })
    } catch (cause) {
      throw this.#fail(cause)
    }
    this.#watch.on('change', (_, file) => {
      if (file === null || file === name) this.#bell.ring()
    })
    this.#watch.on('error', cause => {
      this.#failure = this.#fail(cause)
      this.#bell.ring()
    })
  }

  get subscribe(): Subscribe {
    return this.#bell.subscribe
  }

  check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  [Symbol.dispose](): void {
    this.#watch.close()
  }
}

function watchError(what: string, directory: string, cause: unknown): SegmentError {
  const { code, errno, syscall, message } = cause as NodeJS.ErrnoException
  const details = { cause, errno: errno === undefined ? undefined : Math.abs(errno), syscall }
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return new SegmentError('ERR_NOT_FOUND', `${what}: there is no directory ${directory}`, details)
  const known = { EACCES: 'ERR_PERMISSION', EPERM: 'ERR_PERMISSION', ENAMETOOLONG: 'ERR_INVALID_NAME', EMFILE: 'ERR_TOO_MANY_FILES' }
  return new SegmentError((known as Record<string, string>)[code ?? ''] ?? 'ERR_SYSTEM', `${what}: watch ${directory}: ${message}`, details)
}
