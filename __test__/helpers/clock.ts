const TICK_MS = 20

/** Part of the time that a clock may be late where the cores are free. */
const BUSY = 0.02

/** A clock beside a test that takes time. It needs next to none itself: how long it is late says how long others had the cores. */
export class Clock {
  readonly #start = performance.now()
  #last = this.#start
  #late = 0
  readonly #timer = setInterval(() => this.#tick(), TICK_MS)

  #tick(): void {
    const now = performance.now()
    this.#late += Math.max(0, now - this.#last - TICK_MS - 2) // a timer is one or two milliseconds late anyway
    this.#last = now
  }

  /** Milliseconds since it was started. */
  get elapsed(): number {
    return performance.now() - this.#start
  }

  /** The part of the time that it was late. */
  get late(): number {
    return this.#late / this.elapsed
  }

  /** Whether the cores were others' too much to tell how fast anything is. */
  get isBusy(): boolean {
    return this.late > BUSY
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  [Symbol.dispose](): void {
    this.stop()
  }
}
