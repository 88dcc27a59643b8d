import { attempt } from './errors.js'
import type { NativeConsumer } from './native.js'
import { Bell, type Subscribe } from './sleep.js'

// What the native callback holds on to: not the consumer, or one that nobody disposes of would never be collected.
class Alarm extends Bell {
  armed = false
  seen = 0
  forLock = false

  readonly goOff = (): void => {
    this.armed = false
    this.forLock = false
    this.ring()
  }
}

/** What can be watched: a publication, or who holds a mutex, to which no grace is given. */
type Watched = Pick<NativeConsumer, 'watch' | 'arm' | 'disarm'> & Partial<Pick<NativeConsumer, 'endGrace'>>

/** Lets any number of sleepers share the one native watch of an attachment. */
export class Watcher {
  readonly #native: Watched
  #alarm: Alarm | undefined
  #isGraceAsked = false

  constructor(native: Watched) {
    this.#native = native
  }

  /**
   * Wakes when the state is no longer `seen`, when the publisher dies, or for no reason. `seen` was loaded before the
   * caller looked for a value: what came in between wakes at once. `forLock` tells the publisher to hold back a moment.
   */
  changed(seen: number, forLock: boolean): Subscribe {
    return wake => {
      const alarm = this.#prepare()
      if (!alarm.armed || (forLock && !alarm.forLock)) this.#arm(alarm, seen, forLock)
      const unsubscribe = alarm.subscribe(wake)
      return () => {
        unsubscribe()
        if (alarm.isIdle && alarm.armed) this.#native.disarm()
      }
    }
  }

  /** Takes back what the publisher was told `forLock`: the lock was got, or given up. After the attempt that follows a sleep. */
  endGrace(): void {
    if (!this.#isGraceAsked) return
    this.#isGraceAsked = false
    attempt(() => this.#native.endGrace?.())
  }

  #prepare(): Alarm {
    if (this.#alarm !== undefined) return this.#alarm
    const alarm = new Alarm()
    attempt(() => this.#native.watch(alarm.goOff))
    this.#alarm = alarm
    return alarm
  }

  // The alarm stays with the first state it was armed with: if there is another one now, it goes off at once, for everybody.
  #arm(alarm: Alarm, seen: number, forLock: boolean): void {
    if (!alarm.armed) alarm.seen = seen
    attempt(() => this.#native.arm(alarm.seen, forLock))
    alarm.armed = true
    if (forLock) this.#isGraceAsked = true
    alarm.forLock = forLock
  }
}
