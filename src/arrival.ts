import { type FSWatcher, watch } from 'node:fs'
import { LockError, SegmentError } from './errors.js'
import { DEFAULT_DIRECTORY } from './native.js'
import { Bell, type Subscribe, sleep, throwIfAborted } from './sleep.js'

/** What is awaited, and how long. */
export interface Arrival<T> {
  readonly what: string
  readonly name: string
  readonly directory: string | undefined
  /** Looks for it; undefined: not there yet. */
  attempt(): T | undefined
  /** Milliseconds. Default `Infinity`: until the signal. */
  readonly timeout?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Default true: the wait keeps the process alive. */
  readonly ref?: boolean | undefined
  /** Another reason to look again. */
  readonly also?: Subscribe
}

/** Waits until a segment of that name comes or lives again. The directory tells; nothing is polled. */
export async function arrival<T>(awaited: Arrival<T>): Promise<T> {
  const { what, name, directory, attempt, timeout = Number.POSITIVE_INFINITY, signal, ref = true, also } = awaited
  throwIfAborted(what, signal)
  const start = performance.now()
  using changes = new DirectoryChanges(what, directory ?? DEFAULT_DIRECTORY, name, ref) // before the first look, so that nothing is missed
  for (;;) {
    const found = attempt()
    if (found !== undefined) return found
    const ms = timeout - (performance.now() - start)
    if (ms <= 0) throw new LockError('ERR_TIMEOUT', `${what}: no publication of that name came within ${timeout} ms`)
    await sleep({ ms, signal, ref }, changes.subscribe, ...(also === undefined ? [] : [also]))
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
