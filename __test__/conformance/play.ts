// Plays a scenario: tells each what it is to do, and compares the answers.
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../helpers/child.js'
import type { Cast } from './cast.js'
import type { Scenario, Step } from './scenario.js'

/** What two clocks may differ by, in milliseconds. */
const CLOCK_ERROR = 1

export async function play(cast: Cast, { steps }: Scenario, buffers: number): Promise<void> {
  await cast.begin()
  const performance = new Performance(cast, String(buffers))
  for (const step of steps) {
    await performance.take(step).catch(error => {
      throw new Error(`${step.place}: ${step.who}: ${step.command}: ${error.message}`)
    })
  }
  await cast.end()
}

class Performance {
  readonly #cast: Cast
  readonly #buffers: string
  /** Those who were told something and have not answered. */
  readonly #owed = new Map<string, Promise<string>>()
  /** When the last value was asked for, and when it was known to be there. */
  #published = { asked: 0, answered: 0 }

  constructor(cast: Cast, buffers: string) {
    this.#cast = cast
    this.#buffers = buffers
  }

  async take({ who, command, answer }: Step): Promise<void> {
    if (command === 'kill') return this.#cast.kill(who)
    const player = await this.#cast.player(who)
    const asked = performance.now()
    if (command !== '') player.tell(command.replaceAll('$B', this.#buffers))
    const line = this.#owed.get(who) ?? player.line()
    this.#owed.delete(who)
    if (answer === undefined) return this.#sleeps(who, player, line)
    const given = await line
    if (given.startsWith('version ')) this.#published = { asked, answered: performance.now() }
    if (answer === 'fresh') this.#checkStaleness(given, asked)
    else if (given !== answer) throw new Error(`expected ${answer}, heard ${given}`)
  }

  /** It has been told something, and does not answer because it waits for somebody else. */
  async #sleeps(who: string, player: Child, line: Promise<string>): Promise<void> {
    this.#owed.set(who, line)
    line.catch(() => {}) // told by whoever waits for it
    await player.fallsAsleep()
    const first = await Promise.race([line, delay(0)])
    if (first !== undefined) throw new Error(`expected it to wait, heard ${first}`)
  }

  // Processes agree about the time: the value is as old as it can be by the clock of this process.
  #checkStaleness(given: string, asked: number): void {
    const [least, most] = [asked - this.#published.answered - CLOCK_ERROR, performance.now() - this.#published.asked + CLOCK_ERROR]
    const staleness = Number(/^([\d.e-]+) ms$/.exec(given)?.[1])
    if (!(staleness >= least && staleness <= most)) throw new Error(`expected ${least} to ${most} ms, heard ${given}`)
  }
}
