import { hostname } from 'node:os'
import { painter } from './colour.js'
import type { TelemetryConsumer } from './consumer.js'
import { Dashboard } from './dashboard.js'
import { formatBytes, formatPercent } from './format.js'
import { Screen } from './screen.js'
import type { Tally } from './tally.js'
import type { Telemetry } from './telemetry.js'

const FRAME_MS = 40
const LINE_MS = 1_000

/** Shows what it takes, until it is disposed of. */
export interface Display extends Disposable {
  take(value: Telemetry): void
}

/** For a terminal a screen full of plots; for a file or a pipe a line a second. */
export function displayFor(consumer: TelemetryConsumer, tally: Tally): Display {
  const isScreen = process.stdout.isTTY && process.env.TERM !== 'dumb'
  return isScreen ? new ScreenDisplay(consumer, tally) : new LineDisplay()
}

class ScreenDisplay implements Display {
  readonly #consumer: TelemetryConsumer
  readonly #tally: Tally
  readonly #screen = new Screen(process.stdout)
  readonly #dashboard = new Dashboard(painter(process.stdout.getColorDepth()))
  readonly #timer = setInterval(() => this.#draw(), FRAME_MS)

  constructor(consumer: TelemetryConsumer, tally: Tally) {
    this.#consumer = consumer
    this.#tally = tally
  }

  take(value: Telemetry): void {
    this.#dashboard.take(value)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#screen[Symbol.dispose]()
  }

  #draw(): void {
    const { name, totalWrites, stalenessMs, publisherAlive } = this.#consumer
    const { readsPerSecond, torn } = this.#tally.report()
    const age = publisherAlive ? `${stalenessMs.toFixed(1)} ms old` : 'its publisher is dead'
    const title = `pagecast · ${name} of ${hostname()} · sample ${totalWrites}, ${age}`
    const footer = `${readsPerSecond} reads/s · ${torn} torn · Ctrl-C ends`
    this.#screen.draw(this.#dashboard.frame(this.#screen.columns, this.#screen.rows, title, footer))
  }
}

class LineDisplay implements Display {
  #latest: Telemetry | undefined
  readonly #timer = setInterval(() => this.#print(), LINE_MS)

  take(value: Telemetry): void {
    this.#latest = value
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #print(): void {
    if (this.#latest === undefined) return
    const { sequence, cpu, memory, load } = this.#latest
    const used = `${formatBytes(memory.total - memory.available)} of ${formatBytes(memory.total)}`
    console.log(`sample ${sequence}  cpu ${formatPercent(cpu.busy)}  memory ${used}  load ${load[0].toFixed(2)}`)
  }
}
