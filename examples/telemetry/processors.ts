import { ProcFile, words } from './proc-file.js'
import { Rates } from './rates.js'
import type { Cpu } from './telemetry.js'

/** Columns of a cpu line in /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
const COLUMNS = 8

export interface Processing {
  /** All processors together, then each. */
  readonly cpus: Cpu[]
  /** Context switches per second. */
  readonly switches: number
}

/** What the processors did. */
export class Processors {
  readonly #stat = new ProcFile('/proc/stat')
  readonly #ticks = new Rates()
  readonly #switches = new Rates()

  sample(seconds: number): Processing {
    const lines = this.#stat.lines()
    const columns = lines
      .filter(line => line.startsWith('cpu'))
      .flatMap(line =>
        words(line)
          .slice(1, 1 + COLUMNS)
          .map(Number),
      )
    const ticks = this.#ticks.update(seconds, columns)
    const switched = lines.filter(line => line.startsWith('ctxt ')).map(line => Number(line.slice(5)))
    const [switches = 0] = this.#switches.update(seconds, switched)
    return { cpus: Array.from({ length: ticks.length / COLUMNS }, (_, cpu) => shares(ticks, cpu * COLUMNS)), switches }
  }
}

/** Ticks per second of each kind become shares of all ticks. */
function shares(ticks: number[], first: number): Cpu {
  const [user, nice, system, idle, wait, irq, softirq, steal] = ticks.slice(first, first + COLUMNS)
  const busy = user + nice + system + irq + softirq + steal
  const percent = 100 / (busy + idle + wait || 1)
  return {
    busy: busy * percent,
    user: (user + nice) * percent,
    system: (system + irq + softirq + steal) * percent,
    wait: wait * percent,
  }
}
