// Waits for the other side, once or many times.
//
//   sleepers.js DIRECTORY ROLE [ROUNDS]
//
// Whoever waits many times says how often it really had to. A lost wake-up costs it a whole slice of its sleep (20 to 50 ms), so
// that thousands of them do not fit into the time that the test's watchdog leaves.
import { setImmediate as turn } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { codeOf, cue, say, stopListening } from './stage.js'

const [directory = '', role = '', rounds = ''] = process.argv.slice(2)
const timeout = 60_000
const nap = new Int32Array(new SharedArrayBuffer(4))
const rest = () => Atomics.wait(nap, 0, 0, 0.2)

const open = () => Consumer.open('pose', Pose, { directory })
const create = () => Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })

/** Goes on until the test says something, and hears that between two steps. */
async function repeat(step: () => void): Promise<void> {
  let stopped = false
  const word = cue().then(() => {
    stopped = true
  })
  say('ready')
  for (; !stopped; await turn()) step()
  await word
  stopListening()
}

const roles: Record<string, () => Promise<void> | void> = {
  /** Waits for a value. */
  reader: () => {
    using consumer = open()
    say('waiting')
    using lock = consumer.readLock({ timeout })
    say('woken', { field1: lock.value.field1, version: lock.version })
  },

  /** Waits for a value without blocking. */
  'async reader': async () => {
    using consumer = open()
    say('waiting')
    using lock = await consumer.readLockAsync({ timeout })
    say('woken', { field1: lock.value.field1, version: lock.version })
  },

  /** Waits for the buffer, after the test told it to. */
  writer: async () => {
    using publisher = create()
    say('ready')
    await cue()
    say('waiting')
    publisher.write(pose(2), { timeout })
    say('woken')
    await cue()
    stopListening()
  },

  /** Holds the one buffer for writing, again and again. */
  'busy writer': async () => {
    using publisher = create()
    await repeat(() => {
      publisher.withWrite(rest, { timeout })
      rest()
    })
  },

  /** Holds the one buffer for reading, again and again. */
  'busy reader': async () => {
    using consumer = open()
    await repeat(() => {
      consumer.withRead(rest, { timeout })
      rest()
    })
  },

  /** Waits for the lock many times. */
  'patient reader': () => {
    using consumer = open()
    for (let waits = 0; waits < Number(rounds); ) {
      const lock = consumer.tryReadLock()
      if (lock === undefined) waits += 1
      ;(lock ?? consumer.readLock({ timeout })).release()
    }
    say('done')
  },

  /** The same without blocking. */
  'patient async reader': async () => {
    using consumer = open()
    for (let waits = 0; waits < Number(rounds); ) {
      const lock = consumer.tryReadLock()
      if (lock === undefined) waits += 1
      ;(lock ?? (await consumer.readLockAsync({ timeout }))).release()
    }
    say('done')
  },

  /** Waits for the buffer many times. */
  'patient writer': async () => {
    using publisher = create()
    say('ready')
    await cue()
    for (let waits = 0; waits < Number(rounds); ) {
      if (codeOf(() => publisher.write(pose(waits), { timeout: 0 })) === undefined) continue
      waits += 1
      publisher.write(pose(waits), { timeout })
    }
    say('done')
    await cue()
    stopListening()
  },

  /** Publishes as `pong` what it is told as `ping`. */
  echo: async () => {
    using ping = Consumer.open('ping', Pose, { directory })
    using pong = Publisher.create('pong', Pose, { directory })
    say('ready')
    for await (const value of ping.changes()) pong.write(value)
  },
}

await roles[role]?.()
