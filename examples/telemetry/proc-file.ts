import { openSync, readSync } from 'node:fs'

const buffer = Buffer.allocUnsafe(64 * 1024)

/** A file of /proc, opened once and read again from its beginning: each read is a new snapshot. */
export class ProcFile {
  readonly #fd: number | undefined

  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'r')
    } catch {
      // A system without this file has nothing to say about its subject, which is no error.
    }
  }

  lines(): string[] {
    if (this.#fd === undefined) return []
    return buffer.toString('latin1', 0, readSync(this.#fd, buffer, 0, buffer.length, 0)).split('\n')
  }
}

/** The words of a line. */
export function words(line: string): string[] {
  return line.trim().split(/\s+/)
}
