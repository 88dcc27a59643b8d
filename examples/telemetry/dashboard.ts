import { heat, type Paint } from './colour.js'
import { fit, formatBytes, formatPercent } from './format.js'
import { bar, plot } from './plot.js'
import { coresOf, devicesOf, machineOf, type Reading } from './readings.js'
import type { Telemetry } from './telemetry.js'
import { Trend } from './trend.js'

const GAP = 3
const LABEL = 10
const TEXT = 20
/** Left of the chart. */
const GUTTER = 14
const MOST_CHART_ROWS = 8

/** What the view shows: the newest sample, and how its numbers went. */
export class Dashboard {
  readonly #paint: Paint
  readonly #trends = new Map<string, Trend>()
  #latest: Telemetry | undefined

  constructor(paint: Paint) {
    this.#paint = paint
  }

  get latest(): Telemetry | undefined {
    return this.#latest
  }

  take(value: Telemetry): void {
    this.#latest = value
    const seconds = Number(value.timestamp) / 1e9
    this.#trendOf('cpu').add(seconds, value.cpu.busy)
    for (const { label, number } of [...coresOf(value), ...machineOf(value), ...devicesOf(value)]) {
      this.#trendOf(label).add(seconds, number)
    }
  }

  /** At most `rows` lines, none wider than `columns`. */
  frame(columns: number, rows: number, title: string, footer: string): string[] {
    const value = this.#latest
    if (value === undefined) return []
    const below = [...this.#details(value, columns), '']
    const chartRows = Math.min(MOST_CHART_ROWS, Math.max(1, rows - below.length - 3))
    const lines = [this.#paint('strong', fit(title, columns)), '', ...this.#chart(value, columns, chartRows), ...below]
    return [...lines.slice(0, rows - 1), this.#paint('faint', fit(footer, columns))]
  }

  #details(value: Telemetry, columns: number): string[] {
    const cores = this.#grid(coresOf(value), columns, Math.max(1, Math.floor(columns / 44)))
    const rest = this.#grid([...machineOf(value), ...devicesOf(value)], columns, columns < 88 ? 1 : 2)
    return ['', ...cores, '', ...rest, this.#storage(value, columns)]
  }

  /** All cores together, with the figures of now at the left. */
  #chart({ cpu }: Telemetry, columns: number, rows: number): string[] {
    const figures = [
      `cpu ${formatPercent(cpu.busy)}`,
      `user ${formatPercent(cpu.user)}`,
      `system ${formatPercent(cpu.system)}`,
      `wait ${formatPercent(cpu.wait)}`,
    ]
    const width = Math.max(0, columns - GUTTER)
    return plot(this.#trendOf('cpu').last(width), 100, width, rows).map((line, row) => {
      const figure = this.#paint(row === 0 ? 'strong' : 'faint', fit(figures[row] ?? '', Math.min(GUTTER, columns)))
      return figure + this.#paint(heat(((rows - row - 0.5) * 100) / rows), line)
    })
  }

  /** So many readings to a line, all of one width. */
  #grid(readings: readonly Reading[], columns: number, perLine: number): string[] {
    const width = Math.floor((columns - GAP * (perLine - 1)) / perLine)
    const cells = readings.map(reading => this.#cell(reading, width))
    return Array.from({ length: Math.ceil(cells.length / perLine) }, (_, line) =>
      cells.slice(line * perLine, (line + 1) * perLine).join(' '.repeat(GAP)),
    )
  }

  #cell({ label, colour, top, text }: Reading, width: number): string {
    const plotWidth = width - LABEL - TEXT - 1
    if (plotWidth < 4) return fit(`${fit(label, LABEL)} ${text()}`, width)
    const numbers = this.#trendOf(label).last(plotWidth)
    const [line] = plot(numbers, Math.max(top, ...numbers), plotWidth)
    return `${this.#paint('faint', fit(label, LABEL))}${this.#paint(colour, line)} ${text().padEnd(TEXT)}`
  }

  #storage({ storage }: Telemetry, columns: number): string {
    const text = `${formatBytes(storage.available)} left`
    const width = columns - LABEL - TEXT - 1
    if (width < 4) return fit(`${fit('/', LABEL)} ${text}`, columns)
    const line = bar(1 - storage.available / Math.max(1, storage.total), width)
    return `${this.#paint('faint', fit('/', LABEL))}${this.#paint('memory', line)} ${text.padEnd(TEXT)}`
  }

  #trendOf(label: string): Trend {
    const trend = this.#trends.get(label) ?? new Trend()
    this.#trends.set(label, trend)
    return trend
  }
}
