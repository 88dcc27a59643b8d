// One party of the hammer: `node party.mjs publisher|consumer|follower DIRECTORY NAME BUFFERS CONSUMERS`. The Rust example `hammer` is the
// same, but for the follower, a consumer that awaits each value.
//
// A publisher stands by for the living one. Both sides work flat out for a moment, then pause for one, until they are killed.
// They print lines of JSON: `{"event":"ready"}`, a publisher then `{"event":"publishing"}`, and every few milliseconds what was counted
// since the last line: `{"reads":…,"torn":…,"backwards":…,"stallMs":…}`. `stallMs` is the longest time in which a consumer, looking all the
// time, has seen no newer value, or the longest write.
import { writeSync } from 'node:fs'
import { bytes, Consumer, Publisher } from '../index.js'
import { BYTE_LENGTH, fill, isWhole, numberOf } from './value.mjs'

const [role, directory, name, buffers, consumers] = process.argv.slice(2)
const Type = bytes(BYTE_LENGTH)

/** Longer than anybody can be in the way: to run into it is a failure. */
const timeout = 5000
const WORK_MS = 0.3
const PAUSE_MS = 0.7
const REPORT_MS = 20

const clock = new Int32Array(new SharedArrayBuffer(4))
const counts = { reads: 0, torn: 0, backwards: 0, stallMs: 0 }
let reported = 0

function say(message) {
  writeSync(1, `${JSON.stringify(message)}\n`)
}

function stalled(ms) {
  counts.stallMs = Math.max(counts.stallMs, ms)
}

/** Bad news is told at once: the next moment may be the last. */
function report(now) {
  if (counts.torn === 0 && counts.backwards === 0 && now - reported < REPORT_MS) return
  say(counts)
  Object.assign(counts, { reads: 0, torn: 0, backwards: 0, stallMs: 0 })
  reported = now
}

function inTurns(work) {
  for (;;) {
    const begun = performance.now()
    do work()
    while (performance.now() - begun < WORK_MS)
    report(performance.now())
    Atomics.wait(clock, 0, 0, PAUSE_MS)
  }
}

async function publish() {
  say({ event: 'ready' })
  const publisher = await Publisher.standby(name, Type, { directory, buffers: Number(buffers), maxConsumers: Number(consumers) })
  say({ event: 'publishing' })
  const value = new Uint8Array(BYTE_LENGTH)
  inTurns(() => {
    const number = publisher.totalWrites + 1
    const begun = performance.now()
    if (number % 2 === 0) publisher.write(fill(value, number), { timeout })
    else writeInPlace(publisher, number)
    stalled(performance.now() - begun)
  })
}

function writeInPlace(publisher, number) {
  const lock = publisher.writeLock({ copy: false, timeout })
  fill(lock.bytes, number)
  lock.release()
}

/** The newest value, and when it was seen first; before there is one, since when it could be. */
const seen = { number: 0, at: 0 }

function check(value, version) {
  const number = numberOf(value)
  const now = performance.now()
  counts.reads += 1
  if (!isWhole(value) || number !== version) counts.torn += 1
  else if (number < seen.number) counts.backwards += 1
  stalled(now - seen.at) // at each look: a newer value may never come
  if (number > seen.number) Object.assign(seen, { number, at: now })
}

const target = new Uint8Array(BYTE_LENGTH)

/** Half of the reads hold the value while they look at it. */
function read(consumer) {
  if (counts.reads % 2 === 0) {
    consumer.readInto(target, { timeout })
    check(target, numberOf(target)) // without a lock there is nobody to ask for the version
    return
  }
  const lock = consumer.readLock({ timeout })
  check(lock.bytes, lock.version)
  lock.release()
}

async function consume() {
  const consumer = await Consumer.waitAndOpen(name, Type, { directory, timeout })
  seen.at = performance.now()
  say({ event: 'ready' })
  inTurns(() => read(consumer))
}

/** As {@link consume}, awaiting each change: it does not look, nor say anything, while none comes. */
async function follow() {
  const consumer = await Consumer.waitAndOpen(name, Type, { directory, timeout })
  seen.at = performance.now()
  say({ event: 'ready' })
  for await (const { value, version } of consumer.changes({ withMeta: true })) {
    check(value, version)
    report(performance.now())
  }
}

await { publisher: publish, consumer: consume, follower: follow }[role]()
