/** A line of the language: a verb, then words, `name=value` among them. */
export class Command {
  readonly verb: string
  readonly #words: readonly string[]

  constructor(line: string) {
    const [verb = '', ...words] = line.trim().split(/\s+/)
    this.verb = verb
    this.#words = words
  }

  word(index: number): string {
    const word = this.#words.filter(word => !word.includes('='))[index]
    if (word === undefined) throw new Error(`${this.verb} needs more words`)
    return word
  }

  number(index: number): number {
    const number = Number(this.word(index))
    if (Number.isNaN(number)) throw new Error(`${this.word(index)} is no number`)
    return number
  }

  has(word: string): boolean {
    return this.#words.includes(word)
  }

  option(name: string): string | undefined {
    return this.#words.find(word => word.startsWith(`${name}=`))?.slice(name.length + 1)
  }

  numberOption(name: string): number | undefined {
    const text = this.option(name)
    return text === undefined ? undefined : Number(text)
  }

  /** `timeout=` in milliseconds, as the library takes it. */
  get timeout(): { timeout?: number } {
    const timeout = this.numberOption('timeout')
    return timeout === undefined ? {} : { timeout }
  }

  unknown(): never {
    throw new Error(`${this.verb} is not for this party`)
  }
}

/** Longer than anything takes that ends at all, in milliseconds. */
export const FOREVER = 30_000
