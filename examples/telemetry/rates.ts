/** Counters tick 100 times a second at best: over less time than this their changes say little. */
const WINDOW_SECONDS = 1

interface Snapshot {
  readonly seconds: number
  readonly counters: readonly number[]
}

/** Counters that only grow, seen as changes per second over the last second. */
export class Rates {
  #history: Snapshot[] = []

  /** Takes the counters as they are now; gives the change per second of each, 0 where nothing is known yet. */
  update(seconds: number, counters: readonly number[]): number[] {
    if (this.#history[0]?.counters.length !== counters.length) this.#history = [] // a device came or went
    this.#history.push({ seconds, counters })
    while (this.#history.length > 1 && seconds - this.#history[1].seconds >= WINDOW_SECONDS) this.#history.shift()
    const [before] = this.#history
    const elapsed = Math.max(seconds - before.seconds, Number.MIN_VALUE)
    return counters.map((counter, index) => Math.max(0, (counter - before.counters[index]) / elapsed))
  }
}
