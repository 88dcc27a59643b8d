// The processes that play a scenario.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import type { Child } from '../helpers/child.js'
import { type Pairing, start } from './runtimes.js'

/** Who plays whom: a successor is of the consumer's kind, another consumer of the publisher's. */
const parts: Readonly<Record<string, keyof Pairing>> = {
  publisher: 'publisher',
  successor: 'consumer',
  consumer: 'consumer',
  other: 'publisher',
}

/** The processes of one pairing. They play one scenario after the other, and are started when they are first needed. */
export class Cast {
  readonly #pairing: Pairing
  readonly #players = new Map<string, Child>()
  #directory = ''
  #hasKilled = false

  constructor(pairing: Pairing) {
    this.#pairing = pairing
  }

  async begin(): Promise<void> {
    this.#directory = mkdtempSync('/dev/shm/pagecast-conformance-')
    this.#hasKilled = false
    for (const player of this.#players.values()) await ask(player, `in ${this.#directory}`)
  }

  async player(who: string): Promise<Child> {
    const known = this.#players.get(who)
    if (known !== undefined) return known
    const part = parts[who]
    if (part === undefined) throw new Error(`nobody plays ${who}`)
    const player = start(this.#pairing[part])
    this.#players.set(who, player)
    await ask(player, `in ${this.#directory}`)
    return player
  }

  async kill(who: string): Promise<void> {
    const player = await this.player(who)
    player.kill('SIGKILL')
    await player.gone
    this.#players.delete(who)
    this.#hasKilled = true
  }

  /** Consumers let go first, and then nothing may be left but what the dead left. */
  async end(): Promise<void> {
    for (const who of ['consumer', 'other', 'publisher', 'successor']) {
      const player = this.#players.get(who)
      if (player !== undefined) await ask(player, 'reset')
    }
    const left = readdirSync(this.#directory)
    rmSync(this.#directory, { recursive: true })
    if (left.length > 0 && !this.#hasKilled) throw new Error(`names were left behind: ${left}`)
  }

  account(): string {
    return Array.from(this.#players.values(), player => player.account).join('\n')
  }

  /** Ends all processes, whatever they do. */
  async dismiss(): Promise<void> {
    await Promise.all(Array.from(this.#players.values(), player => player.end()))
    this.#players.clear()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function ask(player: Child, command: string): Promise<void> {
  player.tell(command)
  const answer = await player.line()
  if (answer !== 'ok') throw new Error(`${command}: ${answer}`)
}
