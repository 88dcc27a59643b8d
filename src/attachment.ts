import { CopiedSource } from './copied-source.js'
import type { Decoder, Decoding } from './decoding.js'
import { attempt, isTruncation, PagecastError } from './errors.js'
import type { Place } from './location.js'
import { MappedSegment } from './mapped-segment.js'
import { CLOSED, NativeConsumer, REPLACED, TRUNCATED } from './native.js'
import { PinnedSource } from './pinned-source.js'
import { ENDED, STATE_REPLACED } from './protocol.js'
import type { Source } from './source.js'
import { Watcher } from './watcher.js'

/** What a consumer is to be attached to, and how. Arguments are checked. */
export interface Plan {
  readonly place: Place
  readonly readOnly: boolean
  /** How to read what is found. */
  readonly decoding: Decoder
}

/** The code for a state word after which nothing more comes; 0: it goes on. */
export function endOf(state: number): number {
  if ((state & ENDED) === 0) return 0
  return (state & STATE_REPLACED) === 0 ? CLOSED : REPLACED
}

/** One segment that a consumer is attached to. A consumer has another one after its publication was replaced. */
export class Attachment {
  readonly native: NativeConsumer
  readonly decoding: Decoding
  readonly source: Source
  readonly watcher: Watcher
  readonly #what: string
  readonly #segment: MappedSegment | undefined
  #copies: CopiedSource | undefined

  static open(what: string, plan: Plan): Attachment {
    const { place, readOnly } = plan
    const native = attempt(() => NativeConsumer.open({ at: place.native, readOnly }))
    try {
      return new Attachment(what, native, plan)
    } catch (error) {
      native.close()
      throw error
    }
  }

  /** As {@link open}; undefined where there is nothing that still goes on, or for one of the codes in `absent`. */
  static openLiving(what: string, plan: Plan, absent: readonly string[] = ['ERR_NOT_FOUND']): Attachment | undefined {
    try {
      const attachment = Attachment.open(what, plan)
      if (attachment.end() === 0) return attachment
      attachment.close()
    } catch (error) {
      if (!(error instanceof PagecastError) || !absent.includes(error.code)) throw error
    }
    return undefined
  }

  private constructor(what: string, native: NativeConsumer, plan: Plan) {
    const { capacity } = attempt(() => native.layout())
    this.#what = what
    this.native = native
    this.decoding = plan.decoding(what, native.schema, capacity)
    this.#segment = plan.readOnly ? undefined : new MappedSegment(what, plan.place.label, native)
    this.source = this.#segment === undefined ? this.copies : new PinnedSource(native, this.#segment, this.decoding.publisher !== undefined)
    this.watcher = new Watcher(native)
  }

  /** The value without a pin: all that a read-only consumer has, and the way past a pin that is in use. */
  get copies(): Source {
    this.#copies ??= new CopiedSource(this.#what, this.native, attempt(() => this.native.layout()).capacity)
    return this.#copies
  }

  state(): number {
    const segment = this.#segment
    return segment === undefined ? attempt(() => this.native.state()) : segment.sound(segment.state())
  }

  /** Why nothing more comes of this segment, as a code; 0: it goes on. */
  end(): number {
    try {
      return endOf(this.state())
    } catch (error) {
      if (isTruncation(error)) return TRUNCATED
      throw error
    }
  }

  currentVersion(): number {
    const segment = this.#segment
    return segment === undefined ? this.#peek().version : segment.sound(segment.currentVersion())
  }

  totalWrites(): number {
    const segment = this.#segment
    return segment === undefined ? this.#peek().version : segment.sound(segment.totalWrites())
  }

  /** Infinity: there is no value. */
  stalenessMs(): number {
    const { version, stalenessMs } = this.#peek()
    return version === 0 ? Number.POSITIVE_INFINITY : stalenessMs
  }

  fd(): number {
    return attempt(() => this.native.fd())
  }

  epoch(): number {
    return this.#peek().epoch
  }

  publisherAlive(): boolean {
    return attempt(() => this.native.publisherAlive())
  }

  #peek(): { version: number; stalenessMs: number; epoch: number } {
    const meta = new Float64Array(4)
    attempt(() => this.native.peek(meta))
    const [version = 0, stalenessMs = 0, , epoch = 0] = meta
    return { version, stalenessMs, epoch }
  }

  close(): void {
    this.native.close()
    this.#segment?.dispose()
  }
}
