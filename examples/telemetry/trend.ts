/** So much time one column of a plot shows. */
const COLUMN_SECONDS = 0.25
/** More columns than a terminal has. */
const COLUMNS = 512

/** How a number went lately: the mean of every quarter of a second. */
export class Trend {
  readonly #means: number[] = []
  #column = -1
  #count = 0

  add(seconds: number, number: number): void {
    const column = Math.floor(seconds / COLUMN_SECONDS)
    if (column !== this.#column) this.#begin(column)
    this.#count++
    const last = this.#means.length - 1
    this.#means[last] += (number - this.#means[last]) / this.#count
  }

  /** The newest `columns` of them, oldest first; fewer in the beginning. */
  last(columns: number): number[] {
    return columns > 0 ? this.#means.slice(-columns) : []
  }

  #begin(column: number): void {
    this.#column = column
    this.#count = 0
    this.#means.push(0)
    if (this.#means.length > COLUMNS) this.#means.shift()
  }
}
