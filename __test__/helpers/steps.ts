import binding from '#native'

type Observer = (name: string) => void

/** In a build for tests: not among the names that an import can see. */
const { observeSteps: observeNative } = binding as { observeSteps?: (observer?: Observer) => void }
if (observeNative === undefined) throw new Error('this needs the addon that is built with the feature testing')

let observer: Observer | undefined

/**
 * Has the name of each step of this thread told before it is taken, or no longer. A step is an access to a word of a segment whose order
 * counts; a step of native code; and whatever calls {@link step}.
 */
export function observeSteps(next: Observer | undefined): void {
  observer = next
  observeNative?.(next)
}

export function step(name: string): void {
  observer?.(name)
}

// Where an engine forbids code, the library does through Atomics what it does with instructions elsewhere, in the same order.
Reflect.set(Reflect.get(globalThis, 'WebAssembly'), 'Module', undefined)

const { load, store } = Atomics
Atomics.load = ((words: Int32Array, index: number) => {
  step(`load ${nameOf(words, index)}`)
  return load(words, index)
}) as typeof Atomics.load
Atomics.store = ((words: Int32Array, index: number, value: number) => {
  step(`store ${nameOf(words, index)}`)
  return store(words, index, value)
}) as typeof Atomics.store

const CONTROL = ['state', 'sleepers', 'writer_waits', 'high_water', 'epoch', 'publisher_pid']
const SLOT = ['pin', 'lock_wait', 'attach_count', 'pid']
const BUFFER = ['sequence', '', 'length', 'length', 'version', 'version', 'timestamp', 'timestamp']
const LINE = 16

/** Where the header says the words are, see docs/format.md. */
function nameOf(words: Int32Array, index: number): string {
  const first = (byteOffset: number) => (words[byteOffset / 4] as number) / 4
  const kinds = [
    { start: first(80), lines: 1, names: CONTROL },
    { start: first(88), lines: words[96 / 4] as number, names: SLOT },
    { start: first(104), lines: words[112 / 4] as number, names: BUFFER },
  ]
  const kind = kinds.find(({ start, lines }) => index >= start && index < start + lines * LINE)
  return kind?.names[(index - kind.start) % LINE] ?? 'another word'
}
