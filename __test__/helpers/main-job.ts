import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import type { Child } from './child.js'
import type { Scene } from './scene.js'

/** What `npm start` runs. */
export const program = fileURLToPath(new URL('../../examples/telemetry/main.js', import.meta.url))

/** The programs of the job's children. */
export const CHILDREN = ['publisher.js', 'view.js', 'statistics.js', 'checker.js', 'waker.js']

/** In the header: where the control line is. */
const CONTROL = 80
/** In the control line: how many consumers have attached. */
const HIGH_WATER = 12

let jobs = 0

/** The main job under a name of its own, by which its processes are found. */
export class MainJob {
  readonly name = `telemetry-test-${process.pid}-${++jobs}`
  readonly parent: Child

  constructor(scene: Scene, ...options: string[]) {
    this.parent = scene.program(process.execPath, [program, '--name', this.name, ...options])
  }

  get hasSegment(): boolean {
    return existsSync(join('/dev/shm', this.name))
  }

  /** Its processes that are there now: what they run, and the process id. */
  processes(): Map<string, number> {
    const pids = readdirSync('/proc').filter(entry => /^\d+$/.test(entry))
    const commands = pids.map(pid => ({ pid: Number(pid), words: commandLine(pid) })).filter(({ words }) => words.includes(this.name))
    return new Map(commands.map(({ pid, words: [file, script] }) => [(script === this.name ? file : script).replace(/^.*\//, ''), pid]))
  }

  /** Until everybody is at work: the consumers are attached, and some values have come since. */
  async isRunning(): Promise<void> {
    await until(() => this.hasSegment && this.processes().size === 1 + CHILDREN.length && this.#word(HIGH_WATER) === CHILDREN.length - 1)
    await delay(300)
  }

  // A word of the control line, by docs/format.md.
  #word(byteOffset: number): number {
    const segment = readFileSync(join('/dev/shm', this.name))
    return segment.readUInt32LE(Number(segment.readBigUInt64LE(CONTROL)) + byteOffset)
  }

  /** Until nobody is there any more. */
  async isOver(): Promise<void> {
    await until(() => this.processes().size === 0)
  }

  leavesNothing(t: ExecutionContext): void {
    t.deepEqual([...this.processes().keys()], [], 'processes were left behind')
    t.false(this.hasSegment, 'a segment was left behind')
  }
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0')
  } catch {
    return [] // it ended meanwhile
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10)
}
