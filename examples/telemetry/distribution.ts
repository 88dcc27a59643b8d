/** What is known of many numbers. Percentiles are right to 1 %. */
export interface Summary {
  readonly count: number
  readonly mean: number
  readonly stddev: number
  readonly min: number
  readonly max: number
  readonly p50: number
  readonly p99: number
}

/** Numbers below this fall into one bucket; those above are 1 % apart, up to this much times 1.01 ** BUCKETS. */
const LEAST = 1e-3
const STEP = Math.log(1.01)
const BUCKETS = 4200

/** Statistics of any number of numbers, 0 or more each, in constant memory. */
export class Distribution {
  #count = 0
  #mean = 0
  #squares = 0
  #min = Number.POSITIVE_INFINITY
  #max = 0
  readonly #buckets = new Uint32Array(BUCKETS)

  /** One step of Welford's algorithm. */
  add(number: number): void {
    const distance = number - this.#mean
    this.#count++
    this.#mean += distance / this.#count
    this.#squares += distance * (number - this.#mean)
    this.#min = Math.min(this.#min, number)
    this.#max = Math.max(this.#max, number)
    this.#buckets[bucketOf(number)]++
  }

  summary(): Summary {
    const count = this.#count
    const stddev = count < 2 ? 0 : Math.sqrt(this.#squares / (count - 1))
    const numbers = {
      mean: this.#mean,
      stddev,
      min: count === 0 ? 0 : this.#min,
      max: this.#max,
      p50: this.#percentile(50),
      p99: this.#percentile(99),
    }
    return { count, ...rounded(numbers) }
  }

  #percentile(percent: number): number {
    let left = Math.ceil((this.#count * percent) / 100)
    const bucket = this.#buckets.findIndex(count => {
      left -= count
      return left <= 0
    })
    const top = bucket === 0 ? 0 : LEAST * Math.exp(bucket * STEP)
    return Math.min(this.#max, Math.max(this.#min, top))
  }
}

function bucketOf(number: number): number {
  if (number < LEAST) return 0
  return Math.min(BUCKETS - 1, Math.ceil(Math.log(number / LEAST) / STEP))
}

/** To three digits after the point: more would only look precise. */
function rounded<T extends Record<string, number>>(numbers: T): T {
  return Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, Math.round(number * 1000) / 1000])) as T
}
