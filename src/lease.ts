import { LockError } from './errors.js'
import type { Guard } from './struct/memory.js'

const isDebugging = process.env.PAGECAST_DEBUG === '1'

/** Who has one lock to give at a time. */
export interface Lender {
  /** The publication's name. */
  readonly name: string
  /** The number of the lease that is out; 0: none. Storing a number costs less than storing what the garbage collector must look after. */
  lease: number
  /** What there is to say of leases that were ended for their holders, by number: their own end says it. */
  readonly spoiled?: Map<number, unknown>
}

let leases = 0

/** What the views of a lock show. */
interface Ground {
  /** Throws `ERR_TRUNCATED` if it is gone. */
  check(): void
}

/** The time for which a lock's live views may be used. They ask before every access. */
export class Lease implements Guard {
  readonly writable: boolean
  readonly #operation: string
  readonly #lender: Lender
  readonly #ground: Ground
  readonly #number: number

  constructor(operation: string, lender: Lender, ground: Ground, writable: boolean) {
    leases += 1
    this.#number = leases
    this.#operation = operation
    this.#lender = lender
    this.#ground = ground
    this.writable = writable
    lender.lease = leases
    if (isDebugging) warnIfHeld(this, `${operation} ${lender.name}`, new Error('the lock was taken here').stack)
  }

  get isOver(): boolean {
    return this.#lender.lease !== this.#number
  }

  check(): void {
    if (this.isOver)
      throw new LockError('ERR_RELEASED', `${this.#operation} ${this.#lender.name}: this lock was released, its values are gone`)
    this.#ground.check()
  }

  /** Whether this was the call that ended it. Throws, once, what there is to say if somebody else did. */
  end(): boolean {
    if (this.isOver) {
      this.#tellIfSpoiled()
      return false
    }
    this.#lender.lease = 0
    return true
  }

  #tellIfSpoiled(): void {
    const { spoiled } = this.#lender
    if (spoiled === undefined || !spoiled.has(this.#number)) return
    const error = spoiled.get(this.#number)
    spoiled.delete(this.#number)
    throw error
  }
}

function warnIfHeld(lease: Lease, what: string, stack: string | undefined): void {
  setImmediate(() => {
    if (lease.isOver) return
    const message = `${what}: the lock is still held in a later turn of the event loop; others wait for it`
    process.emitWarning(message, { type: 'PagecastWarning', code: 'PAGECAST_LOCK_HELD', detail: stack ?? '' })
  })
}
