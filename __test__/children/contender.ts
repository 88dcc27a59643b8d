// One side of a contention test: publishes, or reads, as fast as it can, and prints one line of JSON.
// The Rust example `contender` takes the same arguments but for the order, plays the same roles and prints the same.
//
//   contender.js DIRECTORY publisher|consumer NAME BYTE_LENGTH BUFFERS SECONDS [--copy]
//
// Every word of write number n is n, so that a value of two writes shows.
import { bytes, Consumer, Publisher } from 'pagecast'

const [directory = '', role = '', name = '', byteLength = '', buffers = '', seconds = '', copy] = process.argv.slice(2)
const Type = bytes(Number(byteLength))

/** Longer than anybody could hold a lock: to run into it is a failure of the test. */
const timeout = 30_000

function publish(): object {
  using publisher = Publisher.create(name, Type, { directory, buffers: Number(buffers) })
  const end = deadline()
  let [writes, contended] = [0, 0]
  while (performance.now() < end) {
    if (!tryWrite(publisher, BigInt(writes + 1))) {
      contended += 1
      write(publisher, BigInt(writes + 1), timeout)
    }
    writes += 1
  }
  return { writes, contended }
}

function tryWrite(publisher: Publisher<typeof Type>, number: bigint): boolean {
  try {
    write(publisher, number, 0)
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_TIMEOUT') return false
    throw error
  }
}

function write(publisher: Publisher<typeof Type>, number: bigint, timeout: number): void {
  using lock = publisher.writeLock({ copy: false, timeout })
  const words = wordsOf(lock.bytes)
  words.fill(number, 0, words.length / 2)
  letOthersRun(number)
  words.fill(number, words.length / 2)
}

async function consume(): Promise<object> {
  using consumer = await Consumer.waitAndOpen(name, Type, { directory, timeout, readOnly: copy === '--copy' })
  const check = new Check()
  const end = deadline()
  try {
    while (performance.now() < end) (copy === '--copy' ? readCopy : readPinned)(consumer, check)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_CLOSED') throw error
  }
  return check.counts
}

const target = new Uint8Array(Number(byteLength))

function readPinned(consumer: Consumer<typeof Type>, check: Check): void {
  const first = consumer.tryReadLock()
  using lock = first ?? consumer.readLock({ timeout })
  const half = target.length / 2
  target.set(lock.bytes.subarray(0, half))
  letOthersRun(BigInt(lock.version))
  target.set(lock.bytes.subarray(half), half)
  // Refused because of a write, or published to while it read: the other side was there.
  check.take(wordsOf(target), lock.version, first === undefined || consumer.totalWrites !== lock.version)
}

function readCopy(consumer: Consumer<typeof Type>, check: Check): void {
  const before = consumer.totalWrites
  consumer.readInto(target, { timeout })
  check.take(wordsOf(target), undefined, consumer.totalWrites !== before)
}

class Check {
  readonly counts = { reads: 0, torn: 0, mislabelled: 0, backwards: 0, contended: 0 }
  #last = 0

  take(words: BigUint64Array, version: number | undefined, contended: boolean): void {
    const { counts } = this
    const number = Number(words[0])
    const whole = words.every(word => word === words[0])
    counts.reads += 1
    counts.torn += Number(!whole)
    counts.mislabelled += Number(whole && version !== undefined && number !== version)
    counts.backwards += Number(number < this.#last || (version !== undefined && version < this.#last))
    counts.contended += Number(contended)
    this.#last = version ?? number
  }
}

function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): BigUint64Array {
  return new BigUint64Array(buffer, byteOffset, byteLength / 8)
}

function deadline(): number {
  return performance.now() + Number(seconds) * 1000
}

const nap = new Int32Array(new SharedArrayBuffer(4))

/** Now flat out, now with a stop in the middle of every other attempt: both sides are to meet on one processor too. */
function letOthersRun(number: bigint): void {
  if (number % 2n === 0n && number % 4096n < 1024n) Atomics.wait(nap, 0, 0, 0.01)
}

console.log(JSON.stringify(role === 'publisher' ? publish() : await consume()))
