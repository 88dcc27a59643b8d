// A worker that gets a region's memory from its test, or maps some by itself.
import { parentPort, workerData } from 'node:worker_threads'
import { Region } from 'pagecast'

interface Data {
  readonly role: string
  readonly sharedBuffer: SharedArrayBuffer
  readonly bytes: Uint8Array
  readonly file: string
  readonly times: number
}

const { role, sharedBuffer, bytes, file, times } = workerData as Data
const say = (event: string, facts: object = {}) => parentPort?.postMessage({ event, ...facts })

const roles: Record<string, () => void> = {
  /** Answers each number until there is a negative one. */
  echo: () => {
    const words = new Int32Array(sharedBuffer)
    say('ready')
    for (let seen = 0; ; ) {
      Atomics.wait(words, 0, seen)
      seen = Atomics.load(words, 0)
      if (seen < 0) return
      words[3] = words[1] as number
      Atomics.store(words, 2, seen)
      Atomics.notify(words, 2)
    }
  },

  count: () => {
    const words = new Int32Array(sharedBuffer)
    for (let time = 0; time < times; time++) Atomics.add(words, 0, 1)
  },

  map: () => {
    const region = Region.map({ source: { file } })
    region.bytes[0] = 42
    say('mapped', { byteLength: region.byteLength })
  },

  /** Says what the middle byte is, now and whenever it is asked. */
  look: () => {
    const shared = new Uint8Array(sharedBuffer)
    const look = () => say('seen', { byte: shared[shared.length / 2] })
    parentPort?.on('message', word => (word === 'end' ? parentPort?.close() : look()))
    look()
  },

  bytes: () => say('sum', { sum: bytes.reduce((sum, byte) => sum + byte, 0) }),
}

roles[role]?.()
