// One region under its writers: who owns what, when they begin and end, and what is in it afterwards.
import { setTimeout as pause } from 'node:timers/promises'
import { Region } from '../index.js'
import { BYTE_LENGTH, byteOf, CONTROL, GO, layout, STOP } from './layout.mjs'
import { generator } from './random.mjs'
import { Writer } from './writer-process.mjs'

const PROCESSES = 8
/** Nobody needs so long to start, or to end: who does is stuck. */
const PATIENCE_MS = 30_000

export class WritersContest {
  #region = Region.map({ source: { memfd: 'pagecast-writers' }, size: BYTE_LENGTH })
  #control = this.#region.view(Int32Array, CONTROL, 1)
  #fields
  #failures = []

  constructor({ seed, overlap }) {
    this.#fields = layout(PROCESSES, generator(seed), overlap)
  }

  async play(seconds) {
    const limitMs = 1000 * seconds + PATIENCE_MS
    const writers = Array.from({ length: PROCESSES }, (_, owner) => new Writer(this.#region.fd, owner, limitMs, this.#fieldsOf(owner)))
    try {
      const areThere = await this.#within('not everybody was there', Promise.all(writers.map(({ ready }) => ready)))
      Atomics.store(this.#control, 0, GO)
      if (areThere !== undefined) await pause(1000 * seconds)
      Atomics.store(this.#control, 0, STOP)
      const counts = await this.#within('not everybody has ended', Promise.all(writers.map(({ counts }) => counts)))
      return { processes: PROCESSES, fields: this.#fields.length, ...this.#summary(counts ?? []), failures: this.#failures }
    } finally {
      for (const writer of writers) writer.kill()
      this.#region.close()
    }
  }

  #fieldsOf(owner) {
    return this.#fields.filter(field => field.owner === owner)
  }

  /** A failure is told with the figures that there are. */
  async #within(trouble, promise) {
    const timer = new AbortController()
    const late = pause(PATIENCE_MS, undefined, timer).then(() => {
      throw new Error(`${trouble} after ${PATIENCE_MS / 1000} s`)
    })
    try {
      return await Promise.race([promise, late])
    } catch (error) {
      this.#failures.push(error.message)
      return undefined
    } finally {
      timer.abort()
      late.catch(() => {})
    }
  }

  #summary(counts) {
    const total = key => counts.reduce((sum, count) => sum + count[key], 0)
    const isComplete = counts.length === PROCESSES
    const disturbed = isComplete ? this.#fields.filter(field => !this.#holds(field, counts[field.owner].turn)).length : 0
    const checks = isComplete ? this.#fields.length : 0
    return {
      writes: total('writes'),
      checks: total('checks') + checks,
      disturbed: total('disturbed') + disturbed + (isComplete ? this.#strangers() : 0),
    }
  }

  #holds({ owner, offset, length }, turn) {
    return this.#region.at(offset, offset + length).every((byte, index) => byte === byteOf(owner, turn, index))
  }

  /** Bytes before the fields and behind them that somebody wrote to. */
  #strangers() {
    const last = this.#fields.reduce((end, { offset, length }) => Math.max(end, offset + length), 0)
    const unowned = [this.#region.at(CONTROL + 4, this.#fields[0].offset), this.#region.at(last)]
    return unowned.flatMap(bytes => Array.from(bytes)).filter(byte => byte !== 0).length
  }
}
