import { LockError } from './errors.js'
import type { Guard } from './struct/memory.js'

const isDebugging = process.env.PAGECAST_DEBUG === '1'

/** The time for which a lock's live views may be used. They ask before every access. */
export class Lease implements Guard {
  readonly writable: boolean
  readonly #what: string
  #isOver = false

  constructor(what: string, writable: boolean) {
    this.#what = what
    this.writable = writable
    if (isDebugging) this.#warnIfHeld(new Error('the lock was taken here').stack)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  check(): void {
    if (this.#isOver) throw new LockError('ERR_RELEASED', `${this.#what}: this lock was released, its values are gone`)
  }

  /** Whether this was the call that ended it. */
  end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    return true
  }

  #warnIfHeld(stack: string | undefined): void {
    setImmediate(() => {
      if (this.#isOver) return
      const message = `${this.#what}: the lock is still held in a later turn of the event loop; others wait for it`
      process.emitWarning(message, { type: 'PagecastWarning', code: 'PAGECAST_LOCK_HELD', detail: stack ?? '' })
    })
  }
}
