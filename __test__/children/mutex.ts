// Holds a mutex at byte 0 of a file in each way there is, as a process or, with the same arguments as its data, as a worker.
//
//   mutex.js DIRECTORY FILE ROLE
import { setImmediate as turn } from 'node:timers/promises'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Mutex, Region } from 'pagecast'
import { say as sayAloud } from './stage.js'

const [, file = '', role = ''] = isMainThread ? process.argv.slice(2) : (workerData as string[])
const say = (event: string, facts: object = {}) => (isMainThread ? sayAloud(event, facts) : parentPort?.postMessage({ event, ...facts }))
const timeout = 600_000

const kept: unknown[] = []
const alive = setInterval(() => {}, timeout)

function open() {
  const region = Region.map({ source: { file } })
  return { region, mutex: Mutex.at(region, 0) }
}

/** Two numbers that are the same, unless somebody who held the mutex ended between them. */
function change(pair: Uint32Array, recovered: boolean): boolean {
  const isTorn = pair[0] !== pair[1]
  const next = (pair[0] as number) + 1
  Atomics.store(pair, 0, next)
  for (let pause = 0; pause < 200; pause++) Atomics.load(pair, 0)
  Atomics.store(pair, 1, next)
  return isTorn && !recovered
}

const roles: Record<string, () => Promise<void> | void> = {
  hold: () => {
    const { region, mutex } = open()
    const lock = mutex.lock({ timeout })
    kept.push(region, mutex, lock)
    say('held', { recovered: lock.recovered })
  },

  'flat out': () => {
    const { region, mutex } = open()
    const pair = region.view(Uint32Array, 64, 2)
    say('ready')
    for (;;) {
      using lock = mutex.lock({ timeout })
      if (change(pair, lock.recovered)) say('torn')
    }
  },

  /** Lets the garbage collector have it while it is held. */
  forget: async () => {
    const forget = () => {
      const { region, mutex } = open()
      mutex.lock({ timeout })
      region.close()
    }
    forget()
    const { mutex } = open()
    const gc = globalThis.gc as () => void
    for (;;) {
      gc()
      await turn()
      using lock = mutex.tryLock()
      if (lock === undefined) continue
      say('collected', { recovered: lock.recovered })
      break
    }
    clearInterval(alive)
  },

  /** Ends by itself, with the mutex held. */
  exit: () => {
    const { mutex } = open()
    mutex.lock({ timeout })
    process.exit(0)
  },
}

await roles[role]?.()
