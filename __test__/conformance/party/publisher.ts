// The publishing side of a party.
import { bytes, type CreateOptions, Publisher, type WriteLock } from 'pagecast'
import type { Command } from './command.js'
import { publishFast } from './race.js'
import { Sample, sample } from './value.js'

export type Publishing = SamplePublisher | BytesPublisher

export function create(name: string, directory: string, command: Command): Publishing {
  const capacity = command.numberOption('bytes')
  const init = command.numberOption('init')
  const options = { directory, ...command.timeout, ...choices(command) }
  if (capacity !== undefined) {
    const first = init === undefined ? {} : { init: new Uint8Array(capacity).fill(init) }
    return new BytesPublisher(Publisher.create(name, bytes(capacity), { ...options, ...first }))
  }
  return new SamplePublisher(Publisher.create(name, Sample, { ...options, ...(init === undefined ? {} : { init: sample(init) }) }))
}

function choices(command: Command): Pick<CreateOptions, 'buffers' | 'maxConsumers' | 'ifDead'> {
  const given = {
    buffers: command.numberOption('buffers'),
    maxConsumers: command.numberOption('consumers'),
    ifDead: command.option('ifDead') as CreateOptions['ifDead'],
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

export class SamplePublisher {
  readonly publisher: Publisher<typeof Sample>

  constructor(publisher: Publisher<typeof Sample>) {
    this.publisher = publisher
  }

  obey(command: Command): string {
    const { publisher } = this
    switch (command.verb) {
      case 'write':
        publisher.write(sample(command.number(0), command.numberOption('extra')), command.timeout)
        break
      case 'update':
        publisher.update({ extra: command.number(0) }, command.timeout)
        break
      case 'edit':
        this.#edit(command)
        break
      case 'total':
        return `${publisher.totalWrites}`
      default:
        command.unknown()
    }
    return `version ${publisher.totalWrites}`
  }

  #edit(command: Command): void {
    const lock = this.publisher.writeLock(command.timeout)
    lock.value.number = command.number(0)
    lock.value.fill = sample(command.number(0)).fill
    if (command.has('abort')) lock.abort()
    else lock.release()
  }
}

export class BytesPublisher {
  readonly publisher: Publisher<ReturnType<typeof bytes>>
  #lock: WriteLock<Uint8Array> | undefined

  constructor(publisher: Publisher<ReturnType<typeof bytes>>) {
    this.publisher = publisher
  }

  obey(command: Command): string {
    const { publisher } = this
    const length = command.numberOption('length') ?? publisher.byteLength
    switch (command.verb) {
      case 'write':
        publisher.write(new Uint8Array(length).fill(command.number(0)), command.timeout)
        break
      case 'begin':
        this.#lock = publisher.writeLock({ ...command.timeout, copy: !command.has('anew') })
        return 'ok'
      case 'put':
        this.#held.bytes.fill(command.number(0), 0, length)
        return 'ok'
      case 'commit':
        this.#held.byteLength = length
        this.#held.release()
        break
      case 'abort':
        this.#held.abort()
        return 'ok'
      case 'total':
        return `${publisher.totalWrites}`
      case 'race':
        return publishFast(publisher, command.number(0))
      default:
        command.unknown()
    }
    return `version ${publisher.totalWrites}`
  }

  get #held(): WriteLock<Uint8Array> {
    if (this.#lock === undefined) throw new Error('no write was begun')
    return this.#lock
  }
}
