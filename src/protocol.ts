/**
 * The uncontended steps of a publication, R3 to R9 of docs/protocol.md, on the words of one mapped segment. They stand beside
 * `reader.rs` and `writer.rs` in `crates/core/src/publication`, step by step and in the same order; whatever sleeps, wakes or recovers is
 * there only. Loads and stores whose order counts go through `ordered`, and are sequentially consistent: as much as any step needs, with two
 * exceptions: see `begin` and `glance`. Words that only this side writes, and those that are only guessed from, are read plainly.
 */
import binding, * as native from '#native'
import type { Ordered } from './ordered.js'

const { index: INDEX, writing: WRITING, empty: EMPTY, closed: CLOSED, replaced: REPLACED, generation: GENERATION } = native.stateBits()

/** What keeps a reader out while it waits for something better. */
const NO_VALUE = WRITING | EMPTY
/** What ends a publication. */
export const ENDED = CLOSED | REPLACED
export { CLOSED as STATE_CLOSED, EMPTY as STATE_EMPTY, INDEX as STATE_INDEX, REPLACED as STATE_REPLACED }

const WORD = 4
const HIGH = 2 ** 32

// On x86-64 a store is not seen before an earlier one, nor is a load done before an earlier one; elsewhere the processor must be told,
// which JavaScript cannot do.
const needsFence = process.arch !== 'x64' && process.arch !== 'ia32'

/** The negative controls, in a build for tests: not among the names that an import can see. */
const { exclusionOff = never, recheckOff = never } = binding as { exclusionOff?: () => boolean; recheckOff?: () => boolean }
const isExclusionOff = exclusionOff()
const isRecheckOff = recheckOff()

function never(): boolean {
  return false
}

/** Attempts before it is left to Rust, which lets time pass: no honest publisher is so much faster than a reader. */
const ATTEMPTS = 64

/** Byte offsets as indexes of words. */
export class Words {
  readonly ordered: Ordered
  readonly words: Int32Array
  readonly unsigned: Uint32Array
  readonly buffers: number
  readonly state: number
  readonly sleepers: number
  readonly writerWaits: number
  readonly highWater: number
  readonly mostSlots: number
  readonly pins: number
  readonly lockWaits: number
  readonly slotStride: number
  readonly sequences: number
  readonly lengths: number
  readonly versions: number
  readonly timestamps: number
  readonly headerStride: number
  readonly #endMark: number

  constructor(buffer: ArrayBufferLike, ordered: Ordered, layout: native.NativeLayout) {
    this.ordered = ordered
    this.words = new Int32Array(buffer)
    this.unsigned = new Uint32Array(buffer)
    this.buffers = layout.bufferCount
    this.state = layout.state / WORD
    this.sleepers = layout.sleepers / WORD
    this.writerWaits = layout.writerWaits / WORD
    this.highWater = layout.highWater / WORD
    this.mostSlots = layout.maxConsumers
    this.pins = (layout.slots + layout.slotPin) / WORD
    this.lockWaits = (layout.slots + layout.slotLockWait) / WORD
    this.slotStride = layout.slotStride / WORD
    this.sequences = (layout.bufferHeaders + layout.headerSequence) / WORD
    this.lengths = (layout.bufferHeaders + layout.headerLength) / WORD
    this.versions = (layout.bufferHeaders + layout.headerVersion) / WORD
    this.timestamps = (layout.bufferHeaders + layout.headerTimestamp) / WORD
    this.headerStride = layout.bufferHeaderStride / WORD
    this.#endMark = layout.endMark / WORD
  }

  /**
   * Whether all that was read before this was there: the last page, which goes with whatever another process cuts off, has its mark.
   * A plain load: it comes after an ordered one, and the page faults, if it is gone, in this very thread.
   */
  isWhole(): boolean {
    return this.words[this.#endMark] === native.END_MARK
  }

  /** A u64 of a header, while its buffer is pinned or belongs to the caller. Exact below 2^53. */
  wide(first: number, index: number): number {
    const at = first + index * this.headerStride
    return (this.unsigned[at + 1] as number) * HIGH + (this.unsigned[at] as number)
  }

  // Storing to a Uint32Array takes an integer's lowest 32 bits, and cuts off what comes after the point.
  setWide(first: number, index: number, value: number): void {
    const at = first + index * this.headerStride
    this.unsigned[at] = value
    this.unsigned[at + 1] = value / HIGH
  }
}

/** A consumer's steps on the slot that it holds. */
export class ReaderSteps {
  readonly #at: Words
  readonly #ordered: Ordered
  readonly #words: Int32Array
  readonly #pin: number
  readonly #canGlance: boolean
  readonly #native: Pick<native.NativeConsumer, 'wakePublisher'>
  /** Where the sequence of the buffer is that was glanced at, and what it was. */
  #sequenceAt = 0
  #sequence = 0

  constructor(words: Words, slot: number, consumer: Pick<native.NativeConsumer, 'wakePublisher'>) {
    this.#native = consumer
    this.#at = words
    this.#ordered = words.ordered
    this.#words = words.words
    this.#pin = words.pins + slot * words.slotStride
    this.#canGlance = words.buffers > 1 && !needsFence && !isExclusionOff
  }

  /** Pins the current value (R3): its buffer's index; -1: not at once, or there is none. */
  pin(): number {
    const words = this.#words
    const { state, buffers } = this.#at
    let seen = words[state] as number // only a guess, the confirming load decides
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const field = seen & INDEX
      if (isExclusionOff && field > 0) return field - 1
      if ((seen & (NO_VALUE | ENDED)) !== 0 || field === 0 || field > buffers) return -1
      const now = this.#ordered.storeThenLoad(this.#pin, field, state) // as the writer's store of the state is before its scan
      if ((now & WRITING) === 0 && (now & INDEX) === field) return field - 1
      this.unpin()
      seen = now
    }
    return -1
  }

  /** Takes the pin back and wakes a publisher that waits for it (R4). For every store of 0, also on the way out of a failure. */
  unpin(): void {
    if ((this.#ordered.storeThenLoad(this.#pin, 0, this.#at.writerWaits) & 1) !== 0) this.#native.wakePublisher()
  }

  /**
   * Begins a copy of the current value without a pin (R9): its buffer's index; -1: take a pin instead, as always where a processor may
   * do loads out of order, and with one buffer, whose readers keep the publisher out.
   */
  glance(): number {
    const words = this.#words
    const { state, buffers, sequences, headerStride } = this.#at
    const seen = words[state] as number // only a guess, the second look decides
    const field = seen & INDEX
    if (!this.#canGlance || (seen & (NO_VALUE | ENDED)) !== 0 || field === 0 || field > buffers) return -1
    const at = sequences + (field - 1) * headerStride
    const sequence = words[at] as number // before the load below, which is before any of the bytes, as this processor and the engine keep them
    // The second look: a buffer may have been left and begun anew since the first one, with an even sequence in between.
    if ((sequence & 1) !== 0 || this.#ordered.load(state) !== seen) return -1
    this.#sequenceAt = at
    this.#sequence = sequence
    return field - 1
  }

  /** Whether what was read since {@link glance} is one whole value. */
  wasWhole(): boolean {
    return this.#ordered.load(this.#sequenceAt) === this.#sequence || isRecheckOff // no byte is read after it
  }
}

/** The publisher's steps. Only the holder of the publisher's byte takes them. */
export class WriterSteps {
  readonly #at: Words
  readonly #ordered: Ordered
  readonly #words: Int32Array
  readonly #native: Pick<native.NativePublisher, 'wakeConsumers'>

  constructor(words: Words, publisher: Pick<native.NativePublisher, 'wakeConsumers'>) {
    this.#native = publisher
    this.#at = words
    this.#ordered = words.ordered
    this.#words = words.words
  }

  /** A buffer that may be written (R7): -1: none at once. With one buffer, readers are kept out from here on, also if it is -1. */
  choose(): number {
    const { buffers, state, pins } = this.#at
    if (buffers === 1) return this.#shutOut()
    const current = ((this.#words[state] as number) & INDEX) - 1
    if (isExclusionOff) return current < 0 ? 0 : current
    let index = current
    for (let step = 1; step < buffers + (current < 0 ? 1 : 0); step++) {
      index = index + 1 >= buffers ? 0 : index + 1
      if (!this.#any(pins, index + 1, 1)) return index
    }
    return -1
  }

  // Somebody asked to be let in first (R13): Rust gives that.
  #shutOut(): number {
    const { state, lockWaits, pins } = this.#at
    if (this.#any(lockWaits, 0, 0)) return -1
    this.#ordered.store(state, (this.#words[state] as number) | WRITING) // before the scan of the pins
    return isExclusionOff || !this.#any(pins, 0, 0) ? 0 : -1
  }

  // Of the slots that anybody has ever attached to. It comes after this publisher's last store of the state.
  #any(first: number, value: number, same: 0 | 1): boolean {
    const { slotStride, highWater, mostSlots } = this.#at
    return this.#ordered.any(first, slotStride, highWater, mostSlots, value, same) !== 0
  }

  /** One buffer: ends a write that was never begun, so that readers may come in again. */
  letIn(): void {
    const seen = this.#words[this.#at.state] as number
    if ((seen & WRITING) !== 0) this.publish(seen & (GENERATION - 1) & ~WRITING, true)
  }

  /** Marks a buffer as being written, before its first byte changes (R8). */
  begin(index: number): void {
    const at = this.#at.sequences + index * this.#at.headerStride
    this.#ordered.store(at, (this.#words[at] as number) | 1)
    if (needsFence) native.storeFence()
  }

  /** Marks it as whole, after its last byte. */
  end(index: number): void {
    const at = this.#at.sequences + index * this.#at.headerStride
    this.#ordered.store(at, (((this.#words[at] as number) | 1) + 1) | 0)
  }

  /** Publishes what the flags and the index say, with a new generation, and wakes whoever sleeps (R1, R6). */
  publish(meaning: number, wakeAlways: boolean): void {
    const words = this.#words
    const { state, sleepers } = this.#at
    const asked = words[sleepers] !== 0 // at worst seen late, and then the look below is in time
    if (asked) this.#ordered.store(sleepers, 0) // down before the state is stored: later it could take a new sleeper's along
    const generation = (((words[state] as number) & -GENERATION) + GENERATION) | 0
    const sleeps = this.#ordered.storeThenLoad(state, (generation === 0 ? GENERATION : generation) | meaning, sleepers)
    if (asked || wakeAlways || sleeps !== 0) this.#native.wakeConsumers()
  }
}
