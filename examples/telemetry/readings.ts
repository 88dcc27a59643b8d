import { type Colour, heat } from './colour.js'
import { fit, formatBytes, formatPercent } from './format.js'
import type { Disk, Network, Telemetry } from './telemetry.js'

/** One number of a sample, as the view shows it. */
export interface Reading {
  readonly label: string
  readonly colour: Colour
  readonly number: number
  /** What fills the plot; the highest number in sight does if it is more. */
  readonly top: number
  /** The number for people; only made when it is shown. */
  text(): string
}

export function coresOf({ cores, online }: Telemetry): Reading[] {
  return cores.slice(0, online).map(({ busy }, core) => ({
    label: `core ${core}`,
    colour: heat(busy),
    number: busy,
    top: 100,
    text: () => formatPercent(busy),
  }))
}

/** What there is one of. */
export function machineOf({ memory, load, switches, tasks, online }: Telemetry): Reading[] {
  const used = memory.total - memory.available
  return [
    {
      label: 'memory',
      colour: 'memory',
      number: used,
      top: memory.total,
      text: () => `${formatBytes(used)} / ${formatBytes(memory.total)}`,
    },
    { label: 'load', colour: 'load', number: load[0], top: online, text: () => Array.from(load, number => number.toFixed(2)).join(' ') },
    { label: 'switches', colour: 'load', number: switches, top: 1000, text: () => `${switches.toFixed(0)} /s` },
    { label: 'running', colour: 'load', number: tasks.running, top: online, text: () => `${tasks.running} of ${tasks.total}` },
  ]
}

/** What there may be several of, two readings each. */
export function devicesOf({ disks, networks }: Telemetry): Reading[] {
  return [...disks.filter(isThere).flatMap(diskReadings), ...networks.filter(isThere).flatMap(networkReadings)]
}

function isThere({ name }: Disk | Network): boolean {
  return name !== ''
}

function diskReadings({ name, reading, writing }: Disk): Reading[] {
  return [throughput(name, '←', reading), throughput(name, '→', writing)]
}

function networkReadings({ name, receiving, sending }: Network): Reading[] {
  return [throughput(name, '↓', receiving), throughput(name, '↑', sending)]
}

function throughput(name: string, direction: '←' | '→' | '↓' | '↑', number: number): Reading {
  const label = `${fit(name, 9).trimEnd()} ${direction}`
  const colour = '←↓'.includes(direction) ? 'incoming' : 'outgoing'
  return { label, colour, number, top: 1024, text: () => `${formatBytes(number)}/s` }
}
