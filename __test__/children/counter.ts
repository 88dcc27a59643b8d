// Counts a number in a file up, in turns with whoever else does: under the mutex at the file's byte 0, or without it.
//
//   counter.js FILE SEAT [unlocked]
//
// `crates/core/examples/counter.rs` says how one talks to it, and is the same in Rust.
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { Mutex, Region } from 'pagecast'
import { cue, say } from './stage.js'

const [file = '', seat = '', how] = isMainThread ? process.argv.slice(3) : (workerData as string[])
const TIMES = 10_000
const timeout = 60_000

using region = Region.map({ source: { file } })
using mutex = Mutex.at(region, 0)
const counter = region.view(Uint32Array, 64, 1)
const seats = region.view(Uint8Array, 128, 2)

function addOne(): void {
  const number = Atomics.load(counter, 0)
  for (let pause = 0; pause < 50; pause++) Atomics.load(counter, 0) // as long as it takes somebody else to come in between
  Atomics.store(counter, 0, number + 1)
}

function addOneLocked(): boolean {
  const first = mutex.tryLock()
  using _ = first ?? mutex.lock({ timeout })
  addOne()
  return first === undefined
}

function count(round: number): number {
  Atomics.store(seats, Number(seat), round)
  while (Atomics.load(seats, 1 - Number(seat)) !== round);
  let contended = 0
  for (let time = 0; time < TIMES; time++) {
    if (how === 'unlocked') addOne()
    else if (addOneLocked()) contended += 1
  }
  return contended
}

if (isMainThread) {
  say('ready')
  for (let round = 1; (await cue()) !== undefined; round++) say('counted', { contended: count(round) })
} else {
  let round = 0
  parentPort?.on('message', () => {
    round += 1
    parentPort?.postMessage({ event: 'counted', contended: count(round) })
  })
  parentPort?.postMessage({ event: 'ready' })
  await new Promise(() => {}) // the region stays, until it is terminated
}
