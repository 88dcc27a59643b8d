// Attaches to a publication, and ends in the way it is told without disposing of anything, unless told to.
//
//   exits.js DIRECTORY publisher|reader|writer WAY BUFFERS

import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { cue, say, stopListening } from './stage.js'

const [directory = '', role = '', way = '', buffers = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[])

/** What the garbage collector must not let go of before the end. */
const kept: unknown[] = []

const roles: Record<string, () => void> = {
  /** Has published a value, and does nothing now. */
  publisher: () => kept.push(Publisher.create('pose', Pose, { directory, init: pose(1), buffers: Number(buffers) })),
  /** Is half way through its second value. */
  writer: () => {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: Number(buffers) })
    const lock = publisher.writeLock()
    lock.value.field1 = 99
    kept.push(publisher, lock)
  },
  /** Holds a value. */
  reader: () => {
    const consumer = Consumer.open('pose', Pose, { directory })
    kept.push(consumer, consumer.readLock())
  },
}

const endings: Record<string, () => void> = {
  return: stopListening,
  throw: () => {
    stopListening()
    throw new Error('the end')
  },
  'process.exit': () => process.exit(3),
  'dispose and return': () => {
    stopListening()
    disposeOfAll()
  },
  'throw through using': () => {
    stopListening()
    using _ = kept[0] as Disposable
    throw new Error('the end')
  },
}

function disposeOfAll(): void {
  for (const one of kept) (one as Disposable)[Symbol.dispose]()
}

/** Waits for the word, or for a signal that was sent instead. */
async function playInProcess(): Promise<void> {
  if (way === 'SIGTERM, handled') {
    process.once('SIGTERM', () => {
      disposeOfAll()
      stopListening()
    })
  }
  roles[role]?.()
  say('ready')
  await cue()
  endings[way]?.()
}

/** The same in a worker, whose process lives on. */
async function playInWorker(): Promise<void> {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: [directory, role, way, buffers] })
  worker.on('error', () => {})
  const gone = new Promise(resolve => worker.once('exit', resolve))
  await new Promise(resolve => worker.once('message', resolve))
  say('ready')
  await cue()
  if (way === 'worker.terminate') await worker.terminate()
  else worker.postMessage('go')
  await gone
  say('gone')
  await cue()
  stopListening()
}

const workerEndings: Record<string, () => void> = {
  'worker return': () => parentPort?.close(),
  'worker throw': () => {
    throw new Error('the end')
  },
  'worker process.exit': () => process.exit(3),
}

if (!isMainThread) {
  parentPort?.once('message', () => workerEndings[way]?.())
  roles[role]?.()
  parentPort?.postMessage('ready')
} else if (way.startsWith('worker')) {
  await playInWorker()
} else {
  await playInProcess()
}
