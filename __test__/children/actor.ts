// A process, or a worker of one, that does what a test tells it, and stops in the middle of that where the test wants to end it.
//
//   actor.js DIRECTORY [worker]
//
// `crates/core/examples/actor.rs` says how one talks to it, and is the same in Rust. A worker's process hears `terminate`, too.
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { bytes, Consumer, Mutex, type MutexGuard, Publisher, type ReadLock, Region, type WriteLock } from 'pagecast'
import { observeSteps, step } from '../helpers/steps.js'
import { say } from './stage.js'

const [directory, kind] = isMainThread ? process.argv.slice(2) : [workerData as string]

/** As good as for ever: whoever tests has a watchdog. */
const timeout = 3_600_000
/** Bytes of a value. */
const BYTES = 64

type Facts = Record<string, unknown>

let name = ''
let publisher: Publisher | undefined
let write: WriteLock<unknown> | undefined
const consumers: Consumer[] = []
const reads: ReadLock<unknown>[] = []
const mutexes: Mutex[] = []
const guards: MutexGuard[] = []

const open = () => Consumer.openDynamic(name, directory === undefined ? {} : { directory })

const roles: Record<string, (...args: string[]) => unknown> = {
  on: next => {
    for (const each of [...consumers.splice(0), ...mutexes.splice(0)]) each.close()
    name = String(next)
  },
  create: (buffers, maxConsumers, byteLength) => {
    const options = { directory: String(directory), buffers: Number(buffers), maxConsumers: Number(maxConsumers) }
    const created = Publisher.create(name, bytes(Number(byteLength)), options)
    publisher = created
    return { adopted: created.adopted }
  },
  close: () => publisher?.close(),
  write: number => publisher?.write(value(Number(number)), { timeout }),
  change: number => {
    begin(Number(number))
    finish(Number(number))
  },
  begin: number => begin(Number(number)),
  finish: number => finish(Number(number)),
  abort: number => {
    begin(Number(number))
    write?.abort()
  },
  open: () => ({ consumer: consumers.push(open()) - 1 }),
  await: wanted => {
    follow(open(), Number(wanted)).then(
      facts => say('woken', facts),
      error => say('woken', { code: error.code ?? String(error) }),
    )
  },
  lock: at => {
    reads[Number(at)] = consumer(at).readLock({ timeout })
  },
  unlock: at => reads[Number(at)]?.release(),
  held: at => ({ value: whole(reads[Number(at)]?.bytes ?? new Uint8Array()) }),
  read: at => {
    using lock = consumer(at).readLock() // told to wait, it would wait for a successor, too
    return { value: whole(lock.bytes), version: lock.version }
  },
  copy: at => {
    const target = new Uint8Array(BYTES)
    return { value: whole(target.subarray(0, consumer(at).readInto(target))) }
  },
  facts: at => ({ epoch: consumer(at).epoch, alive: consumer(at).publisherAlive }),
  detach: at => consumer(at).close(),
  participate: () => {
    using region = Region.map({ source: { file: join(String(directory), name) } })
    return { participant: mutexes.push(Mutex.at(region, 0)) - 1 }
  },
  acquire: at => {
    const guard = (mutexes[Number(at)] as Mutex).lock({ timeout })
    guards[Number(at)] = guard
    return { recovered: guard.recovered }
  },
  release: at => guards[Number(at)]?.release(),
  leave: at => mutexes[Number(at)]?.close(),
}

function consumer(at: string | undefined): Consumer {
  return consumers[Number(at)] as Consumer
}

/** Is half way through a value. */
function begin(number: number): void {
  write = publisher?.writeLock({ timeout })
  write?.bytes.fill(number, 0, BYTES / 2)
}

function finish(number: number): void {
  step('the second half of the bytes')
  write?.bytes.fill(number)
  write?.release()
}

async function follow(consumer: Consumer, wanted: number): Promise<Facts> {
  using _ = consumer
  for await (const next of consumer.changes()) if (whole(next as Uint8Array) === wanted) return { value: wanted }
  return { code: 'ERR_CLOSED' }
}

function value(number: number): Uint8Array {
  return new Uint8Array(BYTES).fill(number)
}

function whole(bytes: Uint8Array): number {
  const first = bytes[0] ?? 0
  if (first === 0 || bytes.some(byte => byte !== first)) throw Object.assign(new Error(`torn: ${bytes}`), { code: 'TORN' })
  return first
}

const nap = new Int32Array(new SharedArrayBuffer(4))

function obey(line: string): void {
  const [last = '', verb = '', ...args] = line.split(' ')
  const steps: string[] = []
  const facts = last === '-' ? {} : { steps }
  if (last !== '-') {
    observeSteps(name => {
      if (steps.length === Number(last)) {
        say('stopped', { step: name })
        Atomics.wait(nap, 0, 0)
      }
      steps.push(name)
    })
  }
  try {
    const found = roles[verb]?.(...args)
    observeSteps(undefined)
    say('done', { ...(found as Facts | undefined), ...facts })
  } catch (error) {
    observeSteps(undefined)
    say('failed', { code: (error as { code?: string }).code ?? String(error), ...facts })
  }
}

async function playInWorker(): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: directory })
  for await (const line of createInterface({ input: process.stdin })) {
    if (line !== 'terminate') {
      worker.postMessage(line)
      continue
    }
    await worker.terminate()
    say('gone')
  }
}

if (!isMainThread) {
  parentPort?.on('message', obey)
  say('ready')
} else if (kind === 'worker') {
  await playInWorker()
} else {
  say('ready')
  for await (const line of createInterface({ input: process.stdin })) obey(line)
}
