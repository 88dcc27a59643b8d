// As fast as it goes, against another party that does the same. Every word of value number n is n, which is its version too.
import type { BytesType, Consumer, Publisher } from 'pagecast'
import { type Command, FOREVER } from './command.js'

const WORD = 8

type BytesPublisher = Publisher<BytesType>
type BytesConsumer = Consumer<BytesType>

export function publishFast(publisher: BytesPublisher, seconds: number): string {
  const first = publisher.totalWrites
  const end = performance.now() + seconds * 1000
  let overlaps = 0
  while (performance.now() < end) {
    const number = publisher.totalWrites + 1
    if (writesAtOnce(publisher, number)) continue
    overlaps += 1
    write(publisher, number, FOREVER)
  }
  return `writes=${publisher.totalWrites - first} overlaps=${overlaps}`
}

function writesAtOnce(publisher: BytesPublisher, number: number): boolean {
  try {
    write(publisher, number, 0)
    return true
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_TIMEOUT') throw error
    return false
  }
}

function write(publisher: BytesPublisher, number: number, timeout: number): void {
  const lock = publisher.writeLock({ copy: false, timeout })
  const words = wordsOf(lock.bytes)
  const value = BigInt(number)
  words.fill(value, 0, words.length / 2)
  letOthersRun()
  words.fill(value, words.length / 2)
  lock.release()
}

export function consumeFast(consumer: BytesConsumer, command: Command): string {
  const target = new Uint8Array(command.numberOption('bytes') ?? 0)
  const read = command.has('copying') ? readCopy : readLocked
  const check = new Check()
  const end = performance.now() + command.number(0) * 1000
  while (performance.now() < end) read(consumer, target, check)
  return Object.entries(check.counts)
    .map(([name, count]) => `${name}=${count}`)
    .join(' ')
}

function readLocked(consumer: BytesConsumer, target: Uint8Array, check: Check): void {
  const first = consumer.tryReadLock()
  const lock = first ?? consumer.readLock({ timeout: FOREVER })
  const half = target.length / 2
  target.set(lock.bytes.subarray(0, half))
  letOthersRun()
  target.set(lock.bytes.subarray(half), half)
  // Refused because of a write, or published to while it read: the other side was there.
  check.take(target, lock.version, first === undefined || consumer.totalWrites !== lock.version)
  lock.release()
}

/** Without a lock: a read-only consumer has no other way, and an attached one takes it where values are small. */
function readCopy(consumer: BytesConsumer, target: Uint8Array, check: Check): void {
  const before = consumer.totalWrites
  consumer.readInto(target, { timeout: FOREVER })
  check.take(target, undefined, consumer.totalWrites !== before)
}

class Check {
  readonly counts = { reads: 0, torn: 0, mislabelled: 0, backwards: 0, overlaps: 0 }
  #last = 0

  take(value: Uint8Array, version: number | undefined, overlapped: boolean): void {
    const { counts } = this
    const number = Number(wordsOf(value)[0])
    const whole = Buffer.compare(value.subarray(WORD), value.subarray(0, -WORD)) === 0
    counts.reads += 1
    counts.torn += Number(!whole)
    counts.mislabelled += Number(whole && version !== undefined && number !== version)
    counts.backwards += Number(number < this.#last || (version !== undefined && version < this.#last))
    counts.overlaps += Number(overlapped)
    this.#last = version ?? number
  }
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): BigUint64Array {
  return new BigUint64Array(buffer, byteOffset, byteLength / WORD)
}

const nap = new Int32Array(new SharedArrayBuffer(4))

/** For 50 ms flat out, for 50 ms with a stop in the middle of every attempt: both sides are to meet on one processor too. */
function letOthersRun(): void {
  if (performance.now() % 100 < 50) Atomics.wait(nap, 0, 0, 0.01)
}
