/**
 * What the steps of a publication are made of: loads and stores of a segment's 32-bit words, by their index, all of them sequentially
 * consistent as through `Atomics`. For V8 each of those is a call, 7 ns, and a call of WebAssembly is none; for JavaScriptCore it is the
 * other way round.
 */
import type { Engine, EngineMemory } from './engine.js'
import { code } from './ordered-code.js'

export interface Ordered {
  load(index: number): number
  store(index: number, value: number): void
  /** Dekker's step: a store, and a load that nobody sees done before it. */
  storeThenLoad(stored: number, value: number, loaded: number): number
  /**
   * 1 if any word is `value` or, with `same` 0, is something else; otherwise 0. The words are `stride` apart from `first` on. How many they
   * are says the word at `count`, which is loaded first, but they are never more than `most`.
   */
  any(first: number, stride: number, count: number, most: number, value: number, same: 0 | 1): number
}

const isInlined = !('bun' in process.versions)
let compiled: object | undefined

export function orderedOver(engine: Engine, memory: EngineMemory): Ordered {
  if (!isInlined) return new OnAtomics(memory.buffer)
  try {
    compiled ??= new engine.Module(Buffer.from(code, 'base64'))
    return new OnInstructions(new engine.Instance(compiled, { segment: { memory } }).exports as Ordered)
  } catch {
    return new OnAtomics(memory.buffer) // code may be forbidden where memory is not
  }
}

/** Fields, because the engine is slower to find an instance's exports. */
class OnInstructions implements Ordered {
  readonly load: Ordered['load']
  readonly store: Ordered['store']
  readonly storeThenLoad: Ordered['storeThenLoad']
  readonly any: Ordered['any']

  constructor({ load, store, storeThenLoad, any }: Ordered) {
    this.load = load
    this.store = store
    this.storeThenLoad = storeThenLoad
    this.any = any
  }
}

/** The same in JavaScript, function by function as in ordered.wat. */
class OnAtomics implements Ordered {
  readonly #words: Int32Array

  constructor(buffer: ArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  load(index: number): number {
    return Atomics.load(this.#words, index)
  }

  store(index: number, value: number): void {
    Atomics.store(this.#words, index, value)
  }

  storeThenLoad(stored: number, value: number, loaded: number): number {
    Atomics.store(this.#words, stored, value)
    return Atomics.load(this.#words, loaded)
  }

  any(first: number, stride: number, count: number, most: number, value: number, same: 0 | 1): number {
    const words = Math.min(Atomics.load(this.#words, count) >>> 0, most)
    for (let word = 0; word < words; word++) {
      const isValue = Atomics.load(this.#words, first + word * stride) === value
      if (isValue === (same === 1)) return 1
    }
    return 0
  }
}
