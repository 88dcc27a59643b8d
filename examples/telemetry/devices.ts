import { readdirSync } from 'node:fs'
import { ProcFile, words } from './proc-file.js'
import { Rates } from './rates.js'
import { DISKS, type Disk, NETWORKS, type Network } from './telemetry.js'

/** /proc/diskstats counts in sectors of this size, whatever the disk's own. */
const SECTOR = 512
const NAME_LENGTH = 16

/** What went to and from the disks. */
export class Disks {
  readonly #diskstats = new ProcFile('/proc/diskstats')
  readonly #whole = wholeDisks()
  readonly #rates = new Rates()

  sample(seconds: number): Disk[] {
    const rows = this.#diskstats.lines().map(words)
    const whole = rows.filter(row => this.#whole.has(row[2]))
    const disks = whole.slice(0, DISKS).map(diskOf)
    const counters = disks.flatMap(({ read, written, busy }) => [read, written, busy])
    const rates = this.#rates.update(seconds, counters)
    return disks.map((disk, index) => {
      const [reading, writing, busyMs] = rates.slice(index * 3)
      return { ...disk, reading, writing, busy: Math.min(100, busyMs / 10) }
    })
  }
}

/** The counters of a disk; `busy` is in milliseconds here. */
function diskOf(row: string[]): Disk {
  return {
    name: row[2].slice(0, NAME_LENGTH),
    read: Number(row[5]) * SECTOR,
    written: Number(row[9]) * SECTOR,
    reading: 0,
    writing: 0,
    busy: Number(row[12]),
  }
}

/** The names of whole disks: /proc/diskstats lists their partitions too, which would count everything twice. */
function wholeDisks(): Set<string> {
  try {
    return new Set(readdirSync('/sys/block').filter(name => !/^(?:loop|ram|zram)/.test(name)))
  } catch {
    return new Set()
  }
}

/** What went over the network interfaces that carried anything so far. */
export class Networks {
  readonly #dev = new ProcFile('/proc/net/dev')
  readonly #rates = new Rates()

  sample(seconds: number): Network[] {
    const lines = this.#dev.lines().filter(line => line.includes(':'))
    const used = lines.map(networkOf).filter(({ received, sent }) => received + sent > 0)
    const networks = used.slice(0, NETWORKS)
    const counters = networks.flatMap(({ received, sent }) => [received, sent])
    const rates = this.#rates.update(seconds, counters)
    return networks.map((network, index) => ({ ...network, receiving: rates[index * 2], sending: rates[index * 2 + 1] }))
  }
}

function networkOf(line: string): Network {
  const [name, counters] = line.split(':')
  const row = words(counters)
  return { name: name.trim().slice(0, NAME_LENGTH), received: Number(row[0]), sent: Number(row[8]), receiving: 0, sending: 0 }
}
