import { execFileSync } from 'node:child_process'
import { mkdirSync, rmdirSync } from 'node:fs'

/** A filesystem of shared memory for one test. */
export class Tmpfs {
  readonly directory: string

  private constructor(directory: string) {
    this.directory = directory
  }

  /** Or why this process may not mount one. */
  static mount(directory: string, size: string): Tmpfs | string {
    mkdirSync(directory)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'pagecast-test', directory], { stdio: 'pipe' })
      return new Tmpfs(directory)
    } catch (error) {
      rmdirSync(directory)
      return `no filesystem of ${size}: ${String((error as { stderr?: unknown }).stderr ?? error).trim()}`
    }
  }

  remountReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.directory], { stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['--lazy', this.directory]) // lazy: a failed test may still have something open
    rmdirSync(this.directory)
  }
}
