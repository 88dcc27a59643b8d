import { elapsed } from '../clock.js'
import { attempt, LockError, PublicationError } from '../errors.js'
import { Bell, type Subscribe, sleep, throwIfAborted, turn } from '../sleep.js'

/** Most answers in a row before the event loop has its turn: who asks again and again, and always finds something, would never let it. */
const TURN = 16

/** What a channel and a listener of the native part have in common. */
interface NativeSocket {
  watch(callback: () => void): void
  arm(writes: boolean): void
  close(): void
}

/** How long a call waits, and for what. */
export interface Patience {
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** A patience that has begun. */
export interface Wait {
  /** Milliseconds that are left; throws `ERR_ABORTED`, or `ERR_TIMEOUT` which says what is missing. */
  left(missing: string): number
  readonly signal: AbortSignal | undefined
}

export function begin(what: string, { timeout, signal }: Patience): Wait {
  throwIfAborted(what, signal)
  const start = elapsed()
  const left = (missing: string): number => {
    throwIfAborted(what, signal)
    const rest = timeout - (elapsed() - start)
    if (rest > 0) return rest
    throw new LockError('ERR_TIMEOUT', `${what}: ${timeout} ms are over, ${missing}`)
  }
  return { left, signal }
}

/** What the native callback holds on to: the bell, and not the socket, which may be forgotten. */
function ringing(bell: Bell): () => void {
  return () => bell.ring()
}

/** Lets calls wait on the event loop until a socket is ready. */
export class Socket<T extends NativeSocket> {
  readonly #native: T
  readonly #bell = new Bell()
  #isWatched = false
  #answers = 0
  #isClosed = false

  constructor(native: T) {
    this.#native = native
  }

  /** Calls the native part, unless it is closed. */
  call<R>(operation: string, use: (native: T) => R): R {
    if (this.#isClosed) throw new PublicationError('ERR_DISPOSED', `${operation}: this end of the channel is closed`)
    return attempt(() => use(this.#native))
  }

  /** Asks until there is an answer, whenever the socket is ready to be received from (`writes`: or to be sent to). */
  async until<R>(what: string, writes: boolean, wait: Wait, missing: string, ask: (native: T) => R | undefined): Promise<R> {
    for (;;) {
      const found = this.call(what, ask)
      if (found !== undefined) {
        if (++this.#answers % TURN === 0) await turn()
        return found
      }
      await sleep({ ms: wait.left(missing), signal: wait.signal }, this.ready(writes))
    }
  }

  /** Wakes when it may be ready. */
  ready(writes: boolean): Subscribe {
    return wake => {
      if (!this.#isWatched) this.call('wait', native => native.watch(ringing(this.#bell)))
      this.#isWatched = true
      const unsubscribe = this.#bell.subscribe(wake)
      this.call('wait', native => native.arm(writes))
      return unsubscribe
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Who waits is told. Twice is once. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    attempt(() => this.#native.close())
    this.#bell.ring()
  }
}
