import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { Child, type ChildOptions } from './child.js'

/** A longer test is taken for one that hangs: many times what the longest takes, as the cores may be others' for most of the time. */
const WATCHDOG_SECONDS = 180

/** What a test has to itself: a directory for its segments, and its child processes. */
export class Scene {
  readonly directory = mkdtempSync('/dev/shm/pagecast-test-')
  readonly #children: Child[] = []
  #doing = 'starting'

  /** A name that nobody else has, for programs that know only the default directory. */
  get unique(): string {
    return basename(this.directory)
  }

  /** Says what is going on now, in case it never ends. */
  doing(what: string): void {
    this.#doing = what
  }

  /** Runs a program of `__test__/children` with the scene's directory as its first argument. */
  child(program: string, args: readonly unknown[] = [], options?: ChildOptions): Child {
    return this.keep(Child.node(program, [this.directory, ...args], options))
  }

  /** Runs any program. */
  program(path: string, args: readonly unknown[], env?: NodeJS.ProcessEnv, descriptors?: readonly number[]): Child {
    return this.keep(new Child(path, args.map(String), env, path, descriptors))
  }

  /** Ends it with the scene, if it still runs. */
  keep(child: Child): Child {
    this.#children.push(child)
    return child
  }

  /** Names that are taken now. */
  names(): string[] {
    return readdirSync(this.directory).sort()
  }

  /** Takes away what a publisher that was killed left on purpose. */
  remove(name: string): void {
    rmSync(join(this.directory, name))
  }

  account(): string {
    return [`while ${this.#doing}`, ...this.#children.map(child => child.account)].join('\n')
  }

  /** Ends what still runs; returns the names that were left behind. */
  async close(): Promise<string[]> {
    await Promise.all(this.#children.map(child => child.end()))
    const left = this.names()
    rmSync(this.directory, { recursive: true })
    return left
  }
}

export type Play = (t: ExecutionContext, scene: Scene) => Promise<void> | void

/**
 * A test with a directory of its own, which it has to leave empty, and a watchdog that kills its children and tells what was going on.
 * No test asserts that something takes at most so long: the watchdog only ends what would not end by itself.
 */
export function scene(title: string, play: Play, { seconds = WATCHDOG_SECONDS } = {}): void {
  test.serial(title, async t => {
    t.timeout(2 * seconds * 1000) // ava's own clock is not to be faster
    const scene = new Scene()
    const watchdog = new Watchdog(seconds, scene)
    try {
      await Promise.race([Promise.resolve(play(t, scene)), watchdog.bark])
    } catch (error) {
      await scene.close()
      throw error
    } finally {
      watchdog.release()
    }
    t.deepEqual(await scene.close(), [], 'names were left behind')
  })
}

class Watchdog {
  readonly bark: Promise<never>
  #release = (): void => {}

  constructor(seconds: number, scene: Scene) {
    this.bark = new Promise((_, reject) => {
      const timer = setTimeout(() => reject(new Error(`watchdog: not done after ${seconds} s ${scene.account()}`)), seconds * 1000)
      this.#release = () => clearTimeout(timer)
    })
  }

  release(): void {
    this.#release()
  }
}
