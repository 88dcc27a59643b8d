// One side of a contention test: publishes, or reads, as fast as it can, and prints one line of JSON.
// The Rust example `contender` takes the same arguments but for the order, plays the same roles and prints the same.
//
//   contender.js DIRECTORY publisher|consumer NAME BYTE_LENGTH BUFFERS SECONDS [--copy]
//
// Every word of write number n is n, so that a value of two writes shows. A consumer says first that it is there.
import { bytes, Consumer, Publisher } from 'pagecast'
import { codeOf, say } from './stage.js'

const [directory = '', role = '', name = '', byteLength = '', buffers = '', seconds = '', copy] = process.argv.slice(2)
const Type = bytes(Number(byteLength))

/** Longer than anybody could hold a lock: to run into it is a failure of the test. */
const timeout = 30_000

function publish(): object {
  using publisher = Publisher.create(name, Type, { directory, buffers: Number(buffers) })
  const end = deadline()
  let [writes, contended] = [0, 0]
  while (performance.now() < end) {
    if (!tryWrite(publisher, writes + 1)) {
      contended += 1
      write(publisher, writes + 1, timeout)
    }
    writes += 1
  }
  return { writes, contended }
}

function tryWrite(publisher: Publisher<typeof Type>, number: number): boolean {
  const code = codeOf(() => write(publisher, number, 0))
  if (code === undefined || code === 'ERR_TIMEOUT') return code === undefined
  throw new Error(`write: ${code}`)
}

function write(publisher: Publisher<typeof Type>, number: number, timeout: number): void {
  using lock = publisher.writeLock({ copy: false, timeout })
  const words = wordsOf(lock.bytes)
  const value = BigInt(number)
  words.fill(value, 0, words.length / 2)
  letOthersRun()
  words.fill(value, words.length / 2)
}

async function consume(): Promise<object> {
  say('waiting')
  using consumer = await Consumer.waitAndOpen(name, Type, { directory, timeout, readOnly: copy === '--copy' })
  const check = new Check()
  const end = deadline()
  const read = copy === '--copy' ? readCopy : readPinned
  const ended = codeOf(() => {
    while (performance.now() < end) read(consumer, check)
  })
  if (ended !== undefined && ended !== 'ERR_CLOSED') throw new Error(`read: ${ended}`)
  return check.counts
}

const target = new Uint8Array(Number(byteLength))

function readPinned(consumer: Consumer<typeof Type>, check: Check): void {
  const first = consumer.tryReadLock()
  using lock = first ?? consumer.readLock({ timeout })
  const half = target.length / 2
  target.set(lock.bytes.subarray(0, half))
  letOthersRun()
  target.set(lock.bytes.subarray(half), half)
  // Refused because of a write, or published to while it read: the other side was there.
  check.take(target, lock.version, first === undefined || consumer.totalWrites !== lock.version)
}

function readCopy(consumer: Consumer<typeof Type>, check: Check): void {
  const before = consumer.totalWrites
  consumer.readInto(target, { timeout })
  check.take(target, undefined, consumer.totalWrites !== before)
}

class Check {
  readonly counts = { reads: 0, torn: 0, mislabelled: 0, backwards: 0, contended: 0 }
  #last = 0

  take(value: Uint8Array, version: number | undefined, contended: boolean): void {
    const { counts } = this
    const number = Number(wordsOf(value)[0])
    const whole = isAll(value, number)
    counts.reads += 1
    counts.torn += Number(!whole)
    counts.mislabelled += Number(whole && version !== undefined && number !== version)
    counts.backwards += Number(number < this.#last || (version !== undefined && version < this.#last))
    counts.contended += Number(contended)
    this.#last = version ?? number
  }
}

/** Whether every word is `number`; by halves, for speed. */
function isAll({ buffer, byteOffset, byteLength }: Uint8Array, number: number): boolean {
  const halves = new Uint32Array(buffer, byteOffset, byteLength / 4)
  const [low, high] = [number >>> 0, Math.floor(number / 2 ** 32)]
  for (let index = 0; index < halves.length; index += 2) if (halves[index] !== low || halves[index + 1] !== high) return false
  return true
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): BigUint64Array {
  return new BigUint64Array(buffer, byteOffset, byteLength / 8)
}

function deadline(): number {
  return performance.now() + Number(seconds) * 1000
}

const nap = new Int32Array(new SharedArrayBuffer(4))

/** For 50 ms flat out, for 50 ms with a stop in the middle of every attempt: both sides are to meet on one processor too. */
function letOthersRun(): void {
  if (performance.now() % 100 < 50) Atomics.wait(nap, 0, 0, 0.01)
}

console.log(JSON.stringify(role === 'publisher' ? publish() : await consume()))
