// Waits, far longer than a test lasts, in each way there is: as a process or, with the same arguments as its data, as a worker.
//
//   waits.js DIRECTORY WAIT [listen]
import { join } from 'node:path'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Consumer, Mutex, Publisher, Region } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { say } from './stage.js'

const [directory = '', wait = '', listen] = isMainThread ? process.argv.slice(2) : (workerData as string[])
const tell = (event: string) => (isMainThread ? say(event) : parentPort?.postMessage({ event }))
const timeout = 600_000
const opened = (options = {}) => Consumer.open('pose', Pose, { directory, ...options })

/** What the garbage collector must not let go of. */
const kept: unknown[] = []

function reads(look: (consumer: Consumer<typeof Pose>) => unknown, options?: object): () => void {
  return () => {
    using consumer = opened(options)
    tell('waiting')
    look(consumer)
  }
}

function writes(change: (publisher: Publisher<typeof Pose>) => unknown): () => void {
  return () => {
    using publisher = Publisher.create('pose', Pose, { directory })
    tell('waiting')
    change(publisher)
  }
}

function locks(take: (mutex: Mutex) => unknown): () => void {
  return () => {
    using mutex = mutexOf()
    tell('waiting')
    take(mutex)
  }
}

function mutexOf(): Mutex {
  using region = Region.map({ source: { file: join(directory, 'mutex') } })
  return Mutex.at(region, 0)
}

async function follow(options: object): Promise<void> {
  using consumer = opened()
  for await (const { field1 } of consumer.changes({ timeout, ...options })) {
    if (field1 > 1) return
    tell('waiting')
  }
}

async function awaits(pending: Promise<Disposable>): Promise<void> {
  kept.push(pending)
  tell('waiting')
  using _ = await pending
}

const waits: Record<string, () => Promise<void> | void> = {
  read: reads(consumer => consumer.read({ timeout })),
  'read without a slot': reads(consumer => consumer.read({ timeout }), { readOnly: true }),
  'read a first value': reads(consumer => consumer.read({ timeout })),
  readInto: reads(consumer => consumer.readInto(Pose.view(), { timeout })),
  readChange: reads(consumer => consumer.readChange({ timeout })),
  withRead: reads(consumer => consumer.withRead(() => {}, { timeout })),
  readLock: reads(consumer => consumer.readLock({ timeout }).release()),
  create: () => {
    tell('waiting')
    using _ = Publisher.create('pose', Pose, { directory, init: pose(9), timeout })
  },
  write: writes(publisher => publisher.write(pose(9), { timeout })),
  update: writes(publisher => publisher.update({ field1: 9 }, { timeout })),
  withWrite: writes(publisher => publisher.withWrite(() => {}, { timeout })),
  writeLock: writes(publisher => publisher.writeLock({ timeout }).release()),
  'lock a mutex': locks(mutex => mutex.lock({ timeout }).release()),
  'withLock of a mutex': locks(mutex => mutex.withLock(() => {}, { timeout })),
  'lockAsync a mutex': () => awaits(mutexOf().lockAsync({ timeout })),
  readLockAsync: () => awaits(opened().readLockAsync({ timeout })),
  'readLockAsync of a first value': () => awaits(opened().readLockAsync({ timeout })),
  changes: () => follow({}),
  'changes, shut out': async () => {
    using consumer = opened()
    tell('waiting')
    await consumer.changes({ timeout }).next()
  },
  'changes, reopen': async () => {
    const publisher = Publisher.create('pose', Pose, { directory })
    using consumer = opened()
    publisher.close()
    tell('waiting')
    await consumer.changes({ reopen: true, timeout }).next()
  },
  waitAndOpen: () => awaits(Consumer.waitAndOpen('pose', Pose, { directory, timeout })),
  waitAndOpenDynamic: () => awaits(Consumer.waitAndOpenDynamic('pose', { directory, timeout })),
  standby: () => awaits(Publisher.standby('pose', Pose, { directory, timeout })),
}

/** Lives until it was interrupted. */
function listenForIt(): void {
  const alive = setInterval(() => {}, timeout)
  process.once('SIGINT', () => {
    tell('interrupted')
    clearInterval(alive)
  })
}

if (listen !== undefined) listenForIt()
await waits[wait]?.()
tell('woken')
