// Reads or writes flat out until it is refused, in the main thread or in a worker, and says whether all it got was whole.
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { bytes, Consumer, type PagecastError, Publisher, setFaultGuard } from 'pagecast'

type Role = (directory: string, check: (value: Uint8Array) => void) => Promise<void> | void

const [directory = '', role = '', place = '', guard = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[])
const Large = bytes(2 ** 20)
const Small = bytes(2048)

const say = (message: object) => {
  if (isMainThread) process.stdout.write(`${JSON.stringify(message)}\n`)
  else parentPort?.postMessage(message)
}

const open = (name: string, type: typeof Large, readOnly = false) => {
  const consumer = Consumer.open(name, type, { directory, readOnly })
  say({ event: 'ready' })
  return consumer
}

function fillAndWrite(name: string, type: typeof Large): void {
  const publisher = Publisher.create(name, type, { directory, init: new Uint8Array(type.byteLength).fill(1) })
  say({ event: 'ready' })
  for (let number = 1; ; number++) publisher.write(new Uint8Array(type.byteLength).fill(1 + (number % 255)))
}

const roles: Record<string, Role> = {
  'large writer': () => fillAndWrite('large', Large),
  'small writer': () => fillAndWrite('small', Small),
  readInto: (_, check) => {
    const consumer = open('small', Small)
    const target = new Uint8Array(Small.byteLength)
    for (;;) check(target.subarray(0, consumer.readInto(target)))
  },
  'readInto of much': (_, check) => {
    const consumer = open('large', Large)
    const target = new Uint8Array(Large.byteLength)
    for (;;) check(target.subarray(0, consumer.readInto(target)))
  },
  read: (_, check) => {
    const consumer = open('large', Large)
    for (;;) check(consumer.read())
  },
  'read of a read-only consumer': (_, check) => {
    const consumer = open('large', Large, true)
    for (;;) check(consumer.read())
  },
  withRead: (_, check) => {
    const consumer = open('large', Large)
    for (;;) check(consumer.withRead(value => value.slice()))
  },
  changes: async (_, check) => {
    const consumer = open('large', Large)
    for await (const value of consumer.changes()) check(value)
  },
}

async function play(): Promise<void> {
  let [values, spoiled] = [0, 0]
  const check = (value: Uint8Array) => {
    values += 1
    if (value[0] === 0 || value.some(byte => byte !== value[0])) spoiled += 1
  }
  try {
    await roles[role]?.(directory, check)
    say({ event: 'ended', values })
  } catch (error) {
    say({ event: 'refused', code: (error as PagecastError).code, spoiled, own: ownPublication() })
  }
}

/** What another publication of this process says. */
function ownPublication(): number[] {
  using own = Publisher.create(`own-${process.pid}-${role}`, Small, { directory, init: Uint8Array.of(1, 2) })
  using reader = Consumer.open(own.name, Small, { directory })
  return [...reader.read()]
}

if (guard === 'off') setFaultGuard(false)
if (place !== 'worker') await play()
else if (isMainThread) new Worker(new URL(import.meta.url), { workerData: process.argv.slice(2) }).on('message', say)
else await play()
