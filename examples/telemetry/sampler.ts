import { statfsSync } from 'node:fs'
import { Disks, Networks } from './devices.js'
import { ProcFile, words } from './proc-file.js'
import { Processors } from './processors.js'
import {
  CORES,
  type Cpu,
  checksumOf,
  DISKS,
  type Disk,
  type Memory,
  NETWORKS,
  type Network,
  type Storage,
  type Telemetry,
} from './telemetry.js'

const NO_CPU: Cpu = { busy: 0, user: 0, system: 0, wait: 0 }
const NO_DISK: Disk = { name: '', read: 0, written: 0, reading: 0, writing: 0, busy: 0 }
const NO_NETWORK: Network = { name: '', received: 0, sent: 0, receiving: 0, sending: 0 }

/** Samples the machine. */
export class Sampler {
  readonly #processors = new Processors()
  readonly #meminfo = new ProcFile('/proc/meminfo')
  readonly #loadavg = new ProcFile('/proc/loadavg')
  readonly #disks = new Disks()
  readonly #networks = new Networks()

  sample(sequence: number): Telemetry {
    const timestamp = process.hrtime.bigint() // CLOCK_MONOTONIC in Node
    const seconds = Number(timestamp) / 1e9
    const { cpus, switches } = this.#processors.sample(seconds)
    const [cpu = NO_CPU, ...cores] = cpus
    const sample = {
      checksum: 0,
      online: cores.length,
      sequence,
      timestamp,
      ...this.#load(),
      switches,
      memory: this.#memory(),
      storage: storage(),
      cpu,
      cores: filled(CORES, cores, NO_CPU),
      disks: filled(DISKS, this.#disks.sample(seconds), NO_DISK),
      networks: filled(NETWORKS, this.#networks.sample(seconds), NO_NETWORK),
    }
    return { ...sample, checksum: checksumOf(sample) }
  }

  #load(): Pick<Telemetry, 'load' | 'tasks'> {
    const [line = ''] = this.#loadavg.lines()
    const [minute = 0, five = 0, fifteen = 0, running = 0, total = 0] = words(line.replace('/', ' ')).map(Number)
    return { load: Float64Array.of(minute, five, fifteen), tasks: { running, total } }
  }

  #memory(): Memory {
    const kilobytes = new Map(
      this.#meminfo
        .lines()
        .map(words)
        .map(([name, amount]) => [name, Number(amount)]),
    )
    const bytes = (name: string): number => (kilobytes.get(name) ?? 0) * 1024
    return {
      total: bytes('MemTotal:'),
      available: bytes('MemAvailable:'),
      cached: bytes('Cached:'),
      swapped: bytes('SwapTotal:') - bytes('SwapFree:'),
    }
  }
}

function storage(): Storage {
  const { bsize, blocks, bavail } = statfsSync('/')
  return { total: blocks * bsize, available: bavail * bsize }
}

/** As many as fit; the rest are empty. */
function filled<T>(length: number, items: readonly T[], rest: T): T[] {
  return Array.from({ length }, (_, index) => items[index] ?? rest)
}
