import { writeSync } from 'node:fs'
import type { WriteStream } from 'node:tty'

const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l'

/** Gives the terminal back as it was: colours, cursor, and what was on it before. */
export const LEAVE_SCREEN = '\x1b[0m\x1b[?25h\x1b[?1049l'

const BEGIN_FRAME = '\x1b[?2026h'
const END_FRAME = '\x1b[?2026l'
const CLEAR = '\x1b[2J'

/** A terminal that is drawn on in frames: only lines that changed are sent. */
export class Screen {
  readonly #terminal: WriteStream
  #lines: readonly string[] = []

  constructor(terminal: WriteStream) {
    this.#terminal = terminal
    terminal.write(ENTER_SCREEN)
    terminal.on('resize', this.#clear)
    process.on('exit', this.#leave)
  }

  get columns(): number {
    return this.#terminal.columns
  }

  get rows(): number {
    return this.#terminal.rows
  }

  /** No line may be wider than the terminal. */
  draw(lines: readonly string[]): void {
    const before = this.#lines
    const changes = Array.from({ length: Math.max(lines.length, before.length) }, (_, row) => {
      const line = lines[row] ?? ''
      return line === before[row] ? '' : `\x1b[${row + 1};1H\x1b[K${line}`
    })
    this.#terminal.write(BEGIN_FRAME + changes.join('') + END_FRAME)
    this.#lines = lines
  }

  [Symbol.dispose](): void {
    this.#terminal.off('resize', this.#clear)
    process.off('exit', this.#leave)
    this.#leave()
  }

  // The terminal has moved its lines about.
  readonly #clear = () => {
    this.#terminal.write(CLEAR)
    this.#lines = []
  }

  // At once, because nothing later may come: the process may be on its way out.
  readonly #leave = () => {
    writeSync(1, LEAVE_SCREEN)
  }
}
