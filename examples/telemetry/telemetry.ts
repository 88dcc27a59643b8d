/**
 * The value that is published. `crates/core/examples/telemetry/record.rs` declares the same in Rust, field for field,
 * so either publisher serves the same consumers.
 */
import { array, bytesOf, f32, f64, type Infer, struct, text, u32, u64 } from 'pagecast'

/** As many as are published; a machine may have more. */
export const CORES = 64
export const DISKS = 6
export const NETWORKS = 6

/** How often a publisher publishes. */
export const PERIOD_MS = 5

const percent = f32.with({ unit: '%' })
const byteCount = u64({ as: 'number' }).with({ unit: 'B' })
const bytesPerSecond = f64.with({ unit: 'B/s' })

/** What one core, or all of them together, did over the last second. */
export const Cpu = struct({
  busy: percent,
  user: percent,
  system: percent,
  wait: f32.with({ unit: '%', description: 'idle, waiting for a disk' }),
})

export const Memory = struct({ total: byteCount, available: byteCount, cached: byteCount, swapped: byteCount })

/** The root filesystem. */
export const Storage = struct({ total: byteCount, available: byteCount })

export const Tasks = struct({ running: u32, total: u32 })

export const Disk = struct({
  name: text(16).with({ description: 'empty where there is no such disk' }),
  read: byteCount,
  written: byteCount,
  reading: bytesPerSecond,
  writing: bytesPerSecond,
  busy: f64.with({ unit: '%', description: 'time with a request under way' }),
})

export const Network = struct({
  name: text(16).with({ description: 'empty where there is no such interface' }),
  received: byteCount,
  sent: byteCount,
  receiving: bytesPerSecond,
  sending: bytesPerSecond,
})

export const Telemetry = struct({
  checksum: u32.with({ description: 'FNV-1a of all bytes after it' }),
  online: u32.with({ description: 'number of cores' }),
  sequence: u64({ as: 'number' }).with({ description: '1 for the first sample' }),
  timestamp: u64.with({ unit: 'ns', description: 'CLOCK_MONOTONIC when sampling began' }),
  load: array(f64, 3),
  switches: f64.with({ unit: '1/s', description: 'context switches' }),
  tasks: Tasks,
  memory: Memory,
  storage: Storage,
  cpu: Cpu,
  cores: array(Cpu, CORES),
  disks: array(Disk, DISKS),
  networks: array(Network, NETWORKS),
})

export type Cpu = Infer<typeof Cpu>
export type Memory = Infer<typeof Memory>
export type Storage = Infer<typeof Storage>
export type Tasks = Infer<typeof Tasks>
export type Disk = Infer<typeof Disk>
export type Network = Infer<typeof Network>
export type Telemetry = Infer<typeof Telemetry>

const scratch = Telemetry.view()
const scratchBytes = bytesOf(scratch)

/** The checksum that belongs into `value`. */
export function checksumOf(value: Telemetry): number {
  Object.assign(scratch, value)
  return checksumOfBytes(scratchBytes)
}

/** FNV-1a, 32 bits, of everything behind the checksum itself. The fields leave no padding, so every byte belongs to one. */
export function checksumOfBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let index = Uint32Array.BYTES_PER_ELEMENT; index < bytes.length; index++) hash = Math.imul(hash ^ bytes[index], 0x01000193)
  return hash >>> 0
}
