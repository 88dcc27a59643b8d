// The consuming side of a party.
import { bytes, Consumer, type ReadLock } from 'pagecast'
import { type Command, FOREVER } from './command.js'
import { consumeFast } from './race.js'
import { bytesTold, type Sample, sampleTold, views } from './value.js'

/** As many bytes as a party publishes at the most. */
const MOST_BYTES = 65_536

export type Consuming = SampleConsumer | BytesConsumer

export function open(name: string, directory: string, command: Command): Consuming {
  const options = { directory, readOnly: command.has('readOnly') }
  const kind = command.word(0)
  if (kind === 'bytes') return new BytesConsumer(Consumer.open(name, bytes(MOST_BYTES), options))
  const type = views[kind as keyof typeof views]
  return new SampleConsumer(Consumer.open(name, type, options) as Consumer<typeof Sample>)
}

/** What may be asked of every consumer. */
function general(consumer: Consumer, command: Command): string {
  switch (command.verb) {
    case 'total':
      return `${consumer.totalWrites}`
    case 'epoch':
      return `${consumer.epoch}`
    case 'alive':
      return `${consumer.publisherAlive}`
    case 'ended':
      return `${consumer.closed}`
    case 'schema':
      return consumer.schema?.schemaJson ?? 'none'
    default:
      return command.unknown()
  }
}

export class SampleConsumer {
  readonly consumer: Consumer<typeof Sample>

  constructor(consumer: Consumer<typeof Sample>) {
    this.consumer = consumer
  }

  async obey(command: Command): Promise<string> {
    const { consumer } = this
    switch (command.verb) {
      case 'read':
        return sampleTold(consumer.read(command.timeout))
      case 'change':
        return this.#change() ?? 'none'
      case 'changed':
        return `${consumer.hasChanged}`
      case 'next':
        return this.#next()
      case 'staleness':
        return Number.isFinite(consumer.stalenessMs) ? `${consumer.stalenessMs} ms` : 'none'
      default:
        return general(consumer as unknown as Consumer, command)
    }
  }

  #change(): string | undefined {
    const value = this.consumer.readChange()
    return value && sampleTold(value)
  }

  /** Until there is a newer value than the last one told. */
  async #next(): Promise<string> {
    const known = this.consumer.totalWrites
    const first = this.#change()
    if (first !== undefined) return first
    for await (const { value, version } of this.consumer.changes({ withMeta: true, signal: AbortSignal.timeout(FOREVER) })) {
      if (version > known) return sampleTold(value)
    }
    return this.#change() ?? 'none'
  }
}

export class BytesConsumer {
  readonly consumer: Consumer<ReturnType<typeof bytes>>
  #lock: ReadLock<Readonly<Uint8Array>> | undefined

  constructor(consumer: Consumer<ReturnType<typeof bytes>>) {
    this.consumer = consumer
  }

  obey(command: Command): string {
    const { consumer } = this
    switch (command.verb) {
      case 'read':
        return bytesTold(consumer.read(command.timeout))
      case 'copy':
        return this.#copy(new Uint8Array(command.numberOption('room') ?? MOST_BYTES))
      case 'lock':
        this.#lock = consumer.readLock(command.timeout) as ReadLock<Uint8Array>
        return this.#told(this.#lock)
      case 'tryLock': {
        const lock = consumer.tryReadLock() as ReadLock<Uint8Array> | undefined
        this.#lock = lock ?? this.#lock
        return lock ? this.#told(lock) : 'none'
      }
      case 'look':
        return bytesTold((this.#lock as ReadLock).bytes)
      case 'unlock':
        this.#lock?.release()
        return 'ok'
      case 'race':
        return consumeFast(consumer, command)
      default:
        return general(consumer as unknown as Consumer, command)
    }
  }

  #copy(target: Uint8Array): string {
    return bytesTold(target.subarray(0, this.consumer.readInto(target)))
  }

  #told({ bytes, version }: ReadLock): string {
    return `${bytesTold(bytes)} version ${version}`
  }
}
