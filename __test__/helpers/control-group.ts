import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const KINDS = [
  { mount: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes' }, // version 1
  { mount: '/sys/fs/cgroup', limit: 'memory.max' }, // version 2
]

/** A control group of a test's own, with a limit of memory, as a container has: cgroups(7). */
export class ControlGroup {
  readonly #path: string

  /** A sentence instead where that is not permitted. */
  static make(name: string, bytes: number): ControlGroup | string {
    if (readFileSync('/proc/swaps', 'utf8').trim().split('\n').length > 1) return 'this machine swaps, so that more fits than the limit'
    const problems: unknown[] = []
    for (const { mount, limit } of KINDS) {
      const path = join(mount, name)
      try {
        mkdirSync(path)
        const group = new ControlGroup(path)
        if (existsSync(join(path, limit))) {
          writeFileSync(join(path, limit), String(bytes))
          return group
        }
        rmdirSync(path)
      } catch (error) {
        problems.push(error)
      }
    }
    return `no control group with a limit of memory can be made here: ${problems.join('; ')}`
  }

  private constructor(path: string) {
    this.#path = path
  }

  /** From now on the limit is this process's, and that of those it starts. */
  add(pid: number): void {
    writeFileSync(join(this.#path, 'cgroup.procs'), String(pid))
  }

  /** Takes it away, once all that is in it has ended. */
  async remove(): Promise<void> {
    for (;;) {
      try {
        rmdirSync(this.#path)
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error
        await delay(20) // the kernel is not done with who was in it
      }
    }
  }
}
