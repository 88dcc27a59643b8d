import { readdirSync, readFileSync } from 'node:fs'

/** What this process holds of the system: a failure is not to leave more of it. */
export interface Holdings {
  /** Open descriptors. */
  readonly descriptors: number
  /** Mappings of files in shared memory, with or without a name. */
  readonly mappings: number
}

export function holdings(directory: string): Holdings {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    mappings: maps.filter(line => line.includes(directory) || /\/#\d+ \(deleted\)$|\/memfd:/.test(line)).length,
  }
}
