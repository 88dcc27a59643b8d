import type { Field } from './field.js'
import type { Drain, Fill, Row, RowConstructor, Stretch } from './lane.js'
import { trackFor } from './lanes.js'
import type { Memory } from './memory.js'
import { Problem } from './problem.js'

/** After so many uses a struct is worth a lane. */
const HOT = 200

/** Reads and writes all fields of one struct: by a loop at first, by lanes once it is used a lot. */
export class Codec {
  readonly #stretch: Stretch
  readonly #slots: ReadonlyMap<string, number>
  readonly #signature: () => string
  #uses = 0
  #drain: Drain

  /** Gives a new plain object. */
  read: Fill

  constructor(fields: readonly Field[], signature: () => string) {
    const stretch = stretchOf(fields)
    const fill = fillLoop(stretch)
    const drain = drainLoop(stretch)
    this.#stretch = stretch
    this.#slots = new Map(stretch.names.map((name, slot) => [name, slot]))
    this.#signature = signature
    this.read = (memory, base) => {
      this.#countUse(fill, drain)
      return fill(memory, base)
    }
    this.#drain = (memory, base, value) => {
      this.#countUse(fill, drain)
      return drain(memory, base, value)
    }
  }

  /** Takes every field from `value`, each once. May have written a part when it refuses. */
  write(memory: Memory, base: number, value: unknown): Problem | undefined {
    if (!isObject(value)) return new Problem('', 'an object of fields', value)
    if (!this.#isInOrder(value)) {
      const unknown = this.#findUnknown(value)
      if (unknown !== undefined) return unknown
    }
    const problem = this.#drain(memory, base, value)
    return problem !== undefined && this.#isMissing(problem) ? problem.asMissing() : problem
  }

  /** Takes the fields that `value` has, each once, and gives their positions. Throws what the problem says. */
  writeSome(memory: Memory, value: unknown): number[] {
    if (!isObject(value)) throw new Problem('', 'an object of fields', value).toError()
    const slots: number[] = []
    for (const name in value) {
      const slot = this.#slots.get(name)
      const problem = slot === undefined ? this.#unknown(name) : this.#stretch.writers[slot]?.(memory, 0, value[name])
      if (problem !== undefined) throw problem.toError()
      slots.push(slot as number)
    }
    return slots
  }

  #countUse(fill: Fill, drain: Drain): void {
    this.#uses++
    if (this.#uses < HOT) return
    const track = trackFor(this.#signature(), this.#stretch)
    this.read = track?.fill ?? fill
    this.#drain = track?.drain ?? drain
  }

  /** True for all objects that have exactly our names in our order: the usual case, told without allocating. */
  #isInOrder(value: Row): boolean {
    const { names } = this.#stretch
    let index = 0
    for (const name in value) {
      if (name !== names[index]) return false
      index++
    }
    return true
  }

  #findUnknown(value: Row): Problem | undefined {
    const name = Object.keys(value).find(key => !this.#slots.has(key))
    return name === undefined ? undefined : this.#unknown(name)
  }

  #unknown(name: string): Problem {
    const { names } = this.#stretch
    const more = names.length > 8 ? ', …' : ''
    return new Problem(name, `one of ${names.slice(0, 8).join(', ')}${more}`, undefined, 'ERR_UNKNOWN_FIELD')
  }

  /** What every object inherits (`toString`, …) is no field of the value. */
  #isMissing({ path, given }: Problem): boolean {
    return this.#slots.has(path) && (given === undefined || given === (Object.prototype as unknown as Row)[path])
  }
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

function stretchOf(fields: readonly Field[]): Stretch {
  return {
    Row: rowConstructor(),
    // As property keys: a name that came out of JSON or a template is looked up in V8's string table at each use otherwise.
    names: Object.keys(Object.fromEntries(fields.map(({ name }) => [name, 0]))),
    readers: fields.map(({ type, byteOffset, name }) => type.reader(byteOffset, name)),
    writers: fields.map(({ type, byteOffset, name }) => type.writer(byteOffset, name)),
  }
}

function rowConstructor(): RowConstructor {
  // Each call of this makes another function, and with it another hidden class for what `new` gives.
  function Row(): void {}
  Row.prototype = Object.prototype
  return Row as unknown as RowConstructor
}

function fillLoop({ Row, names, readers }: Stretch): Fill {
  return (memory, base) => {
    const row = new Row()
    for (let index = 0; index < readers.length; index++) {
      row[names[index] as string] = readers[index]?.(memory, base)
    }
    return row
  }
}

function drainLoop({ names, writers }: Stretch): Drain {
  return (memory, base, value) => {
    for (let index = 0; index < writers.length; index++) {
      const problem = writers[index]?.(memory, base, value[names[index] as string])
      if (problem !== undefined) return problem
    }
    return undefined
  }
}
