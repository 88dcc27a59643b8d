import { checksumOf, type Telemetry } from './telemetry.js'

/** What a consumer saw of the publication. */
export interface Sightings {
  readonly reads: number
  /** Reads that gave a newer value than the one before. */
  readonly changes: number
  /** Publications between the first and the last one seen that were not seen. */
  readonly missed: number
  /** Values with a checksum that is not theirs: parts of more than one. */
  readonly torn: number
  /** Reads that gave an older value than the one before. */
  readonly backwards: number
  readonly readsPerSecond: number
}

/** Counts and checks what a consumer reads. */
export class Tally {
  reads = 0
  changes = 0
  torn = 0
  backwards = 0
  #oldest = 0
  #newest = 0
  readonly #start = performance.now()

  /** Takes a copy of a value, or nothing when there was no news. */
  take(value: Telemetry | undefined): void {
    if (value === undefined) this.reads++
    else this.count(value.sequence, value.checksum === checksumOf(value))
  }

  count(sequence: number, isWhole: boolean): void {
    this.reads++
    if (!isWhole) this.torn++
    else if (sequence > this.#newest) this.#advance(sequence)
    else if (sequence < this.#newest) this.backwards++
  }

  #advance(sequence: number): void {
    this.changes++
    this.#oldest ||= sequence
    this.#newest = sequence
  }

  report(): Sightings {
    const { reads, changes, torn, backwards } = this
    const missed = changes === 0 ? 0 : this.#newest - this.#oldest + 1 - changes
    const readsPerSecond = Math.round((reads * 1000) / (performance.now() - this.#start))
    return { reads, changes, missed, torn, backwards, readsPerSecond }
  }
}
