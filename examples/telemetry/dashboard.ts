import { heat, type Paint } from './colour.js'
import { fit, formatBytes, formatPercent } from './format.js'
import { bar, plot } from './plot.js'
import { coresOf, devicesOf, machineOf, type Reading } from './readings.js'
import type { Telemetry } from './telemetry.js'
import { Trend } from './trend.js'

const GAP = 3
/** How wide label and text of a reading are; the rest is its plot. */
const CORE = { label: 8, text: 6 }
const WIDE = { label: 12, text: 19 }
/** A plot of less than this is left out. */
const LEAST_PLOT = 4
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
    const cores = this.#grid(coresOf(value), columns, coresPerLine(value.online, columns), CORE)
    const rest = this.#grid([...machineOf(value), ...devicesOf(value)], columns, columns < 88 ? 1 : 2, WIDE)
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
  #grid(readings: readonly Reading[], columns: number, perLine: number, parts: typeof WIDE): string[] {
    const width = Math.floor((columns - GAP * (perLine - 1)) / perLine)
    const cells = readings.map(reading => this.#cell(reading, width, parts))
    return Array.from({ length: Math.ceil(cells.length / perLine) }, (_, line) =>
      cells.slice(line * perLine, (line + 1) * perLine).join(' '.repeat(GAP)),
    )
  }

  #cell({ label, colour, top, text }: Reading, width: number, parts: typeof WIDE): string {
    const plotWidth = width - parts.label - parts.text - 1
    const numbers = this.#trendOf(label).last(plotWidth)
    const [line] = plot(numbers, Math.max(top, ...numbers), Math.max(0, plotWidth))
    return this.#labelled(label, this.#paint(colour, line), text(), width, parts)
  }

  #storage({ storage }: Telemetry, columns: number): string {
    const part = 1 - storage.available / Math.max(1, storage.total)
    const line = bar(part, Math.max(0, columns - WIDE.label - WIDE.text - 1))
    return this.#labelled('/', this.#paint('memory', line), `${formatBytes(storage.available)} left`, columns, WIDE)
  }

  /** Where there is no room for a plot there is only text. */
  #labelled(label: string, line: string, text: string, width: number, parts: typeof WIDE): string {
    if (width < parts.label + LEAST_PLOT + 1 + parts.text) return fit(fit(label, parts.label) + text, width)
    return `${this.#paint('faint', fit(label, parts.label))}${line} ${fit(text, parts.text)}`
  }

  #trendOf(label: string): Trend {
    const trend = this.#trends.get(label) ?? new Trend()
    this.#trends.set(label, trend)
    return trend
  }
}

/** Few cores get room for their plots, many share it. */
function coresPerLine(cores: number, columns: number): number {
  const roomy = Math.floor(columns / 44)
  const tight = Math.floor((columns + GAP) / (CORE.label + LEAST_PLOT + 1 + CORE.text + GAP))
  return Math.max(1, Math.min(tight, Math.max(roomy, Math.ceil(cores / 6))))
}
