// Uses a region flat out until it is refused, in the main thread or in a worker, and says whether all that it was handed was whole.
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { type PagecastError, Region } from 'pagecast'

const [directory = '', place = '', role = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[])

const say = (message: object) => {
  if (isMainThread) process.stdout.write(`${JSON.stringify(message)}\n`)
  else parentPort?.postMessage(message)
}

let spoiled = 0

/** Each use looks at bytes that are never zero, and asks the region afterwards. */
const roles: Record<string, (region: Region, bytes: Uint8Array) => void> = {
  look: region => {
    const { bytes } = region
    for (;;) {
      const zeros = bytes.reduce((count, byte) => count + Number(byte === 0), 0)
      region.tell() // throws if there was anything to tell
      spoiled += zeros
    }
  },
  /** Never asks. */
  stare: (_, bytes) => {
    for (;;) spoiled += bytes.reduce((count, byte) => count + Number(byte === 0), 0)
  },
  shared: region => {
    const bytes = new Uint8Array(region.sharedBuffer)
    for (;;) {
      let zeros = 0
      for (let at = 0; at < bytes.length; at += 64) zeros += Number(Atomics.load(bytes, at) === 0)
      region.tell()
      spoiled += zeros
    }
  },
  read: region => {
    for (;;) {
      region.seek(0)
      const bytes = region.read()
      spoiled += bytes.reduce((count, byte) => count + Number(byte === 0), 0)
    }
  },
  write: region => {
    const bytes = new Uint8Array(region.byteLength).fill(9)
    for (;;) {
      region.seek(0)
      region.write(bytes)
    }
  },
}

function play(): void {
  const region = Region.map({ source: { file: join(directory, 'file') } })
  using own = Region.map({ size: 100 })
  const { bytes } = region
  say({ event: 'ready' })
  try {
    roles[role]?.(region, bytes)
  } catch (error) {
    own.bytes[0] = 11
    say({ event: 'refused', code: (error as PagecastError).code, spoiled, own: own.bytes[0] })
  }
  region.close()
}

if (place !== 'worker' || !isMainThread) play()
else new Worker(new URL(import.meta.url), { workerData: process.argv.slice(2) }).on('message', say)
