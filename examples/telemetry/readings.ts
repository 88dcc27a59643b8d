import { formatBytes, formatNumber, formatPercent } from './format.js'
import type { Colour } from './colour.js'
import type { Telemetry } from './telemetry.js'
import { Trend } from './trend.js'

/** One thing that the view plots. */
export interface Reading {
  readonly label: string
  readonly colour: Colour
  readonly trend: Trend
  /** What fills the plot; without it the highest number in sight does, if it is not below `least`. */
  readonly top?: number
  readonly least?: number
  readonly text: string
}

type Now = Omit<Reading, 'trend'> & { readonly number: number }

/** The readings of a machine, with how they went lately. */
export class Readings {
  readonly #trends = new Map<string, Trend>()
  #latest: Telemetry | undefined

  get latest(): Telemetry | undefined {
    return this.#latest
  }

  take(value: Telemetry): void {
    this.#latest = value
    const seconds = Number(value.timestamp) / 1e9
    for (const { label, number } of [...cpuOf(value), ...coresOf(value), ...machineOf(value), ...devicesOf(value)]) {
      this.#trend(label).add(seconds, number)
    }
  }
}
