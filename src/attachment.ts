import { CopiedSource } from './copied-source.js'
import type { Decoder, Decoding } from './decoding.js'
import { attempt, PagecastError } from './errors.js'
import { MappedSegment } from './mapped-segment.js'
import { NativeConsumer } from './native.js'
import { PinnedSource } from './pinned-source.js'
import { ENDED } from './protocol.js'
import type { Source } from './source.js'
import { Watcher } from './watcher.js'

/** What a consumer is to be attached to, and how. Arguments are checked. */
export interface Plan {
  readonly name: string
  readonly directory: string | undefined
  readonly readOnly: boolean
  /** How to read what is found. */
  readonly decoding: Decoder
}

/** One segment that a consumer is attached to. A consumer has another one after its publication was replaced. */
export class Attachment {
  readonly native: NativeConsumer
  readonly decoding: Decoding
  readonly source: Source
  readonly watcher: Watcher
  readonly #segment: MappedSegment | undefined
  #copies: CopiedSource | undefined

  static open(what: string, plan: Plan): Attachment {
    const { name, directory, readOnly } = plan
    const native = attempt(() => NativeConsumer.open(directory === undefined ? { name, readOnly } : { name, readOnly, directory }))
    try {
      return new Attachment(what, native, plan)
    } catch (error) {
      native.close()
      throw error
    }
  }

  /** As {@link open}; undefined where there is nothing of that name that still goes on. */
  static openLiving(what: string, plan: Plan): Attachment | undefined {
    try {
      const attachment = Attachment.open(what, plan)
      if ((attachment.state() & ENDED) === 0) return attachment
      attachment.close()
    } catch (error) {
      if (!(error instanceof PagecastError) || error.code !== 'ERR_NOT_FOUND') throw error
    }
    return undefined
  }

  private constructor(what: string, native: NativeConsumer, plan: Plan) {
    const { capacity } = attempt(() => native.layout())
    this.native = native
    this.decoding = plan.decoding(what, native.schema, capacity)
    this.#segment = plan.readOnly ? undefined : new MappedSegment(what, native)
    this.source = this.#segment === undefined ? this.copies : new PinnedSource(native, this.#segment)
    this.watcher = new Watcher(native)
  }

  /** The value without a pin: all that a read-only consumer has, and the way past a pin that is in use. */
  get copies(): Source {
    this.#copies ??= new CopiedSource(this.native, attempt(() => this.native.layout()).capacity)
    return this.#copies
  }

  state(): number {
    return this.#segment?.state() ?? attempt(() => this.native.state())
  }

  currentVersion(): number {
    return this.#segment?.currentVersion() ?? this.#peek().version
  }

  totalWrites(): number {
    return this.#segment?.totalWrites() ?? this.#peek().version
  }

  /** Infinity: there is no value. */
  stalenessMs(): number {
    const { version, stalenessMs } = this.#peek()
    return version === 0 ? Number.POSITIVE_INFINITY : stalenessMs
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
