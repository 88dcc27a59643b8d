// One publication under the hammer: who takes part, who is killed when, and what came of it.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { bytes, Consumer, Publisher } from '../index.js'
import { Party } from './party-process.mjs'
import { generator } from './random.mjs'
import { BYTE_LENGTH, fill, isWhole } from './value.mjs'

const CONSUMERS = 8
const NAME = 'hammered'
const Type = bytes(BYTE_LENGTH)
/** Nobody is killed before everybody is there once. */
const START_MS = 30_000

export class Contest {
  #directory = mkdtempSync('/dev/shm/pagecast-hammer-')
  #counts = { kills: 0, takeovers: -1, valuesRead: 0, torn: 0, backwards: 0, longestStallMs: 0, machineStallMs: 0, failures: [] } // the first takes nothing over
  #parties = new Set()
  #isOver = false
  /** When the publisher was killed, until there is the next. */
  #vacantSince
  #buffers
  #rate
  #random

  constructor({ buffers, rate, seed }) {
    this.#buffers = buffers
    this.#rate = rate
    this.#random = generator(seed)
  }

  async play(seconds) {
    for (let number = 0; number < CONSUMERS; number++) this.#start(number)
    for (const _ of ['publisher', 'standby']) this.#start('publisher')
    this.#start('bystander')
    try {
      await this.#everybody()
      Object.assign(this.#counts, { longestStallMs: 0, machineStallMs: 0 }) // until now they waited for each other to start
      for (const end = performance.now() + 1000 * seconds; performance.now() < end && this.#counts.failures.length === 0; ) {
        await pause((2000 / this.#rate) * this.#random())
        this.#killOne()
      }
    } finally {
      this.#isOver = true
      this.#endVacancy()
      for (const party of this.#parties) this.#kill(party)
      await Promise.all(Array.from(this.#parties, ({ exit }) => exit))
    }
    return { ...this.#counts, ...this.#leaks() }
  }

  async #everybody() {
    const end = performance.now() + START_MS
    while (!Array.from(this.#parties).every(({ isReady }) => isReady) || this.#publisher() === undefined) {
      if (performance.now() > end) throw new Error(`not everybody was there in time: ${this.#counts.failures}`)
      await pause(10)
    }
  }

  #publisher() {
    return Array.from(this.#parties).find(({ isPublishing }) => isPublishing)
  }

  /** A consumer has a number. Each language has half of them, and one in TypeScript awaits. Publishers are of either. The bystander is in
   * nobody's way. */
  #start(place) {
    const isRust = place === 'bystander' || (place === 'publisher' ? this.#random() < 0.5 : place % 2 === 1)
    const role = typeof place === 'string' ? place : place === 0 ? 'follower' : 'consumer'
    const hear = message => (place === 'bystander' ? this.#hearBystander(message) : this.#hear(message))
    const party = new Party(isRust, [role, this.#directory, NAME, this.#buffers, CONSUMERS], hear)
    party.place = place
    this.#parties.add(party)
    party.exit.then(failure => {
      this.#parties.delete(party)
      if (failure !== undefined) this.#counts.failures.push(failure)
      if (!this.#isOver) this.#start(place)
    })
  }

  #hear({ event, reads = 0, torn = 0, backwards = 0, stallMs = 0 }) {
    const counts = this.#counts
    if (event === 'publishing') {
      counts.takeovers += 1
      this.#endVacancy()
    }
    counts.valuesRead += reads
    counts.torn += torn
    counts.backwards += backwards
    this.#stalled(stallMs)
  }

  /** A consumer is rarely spared for long enough to notice by itself that nobody takes over. */
  #endVacancy() {
    if (this.#vacantSince !== undefined) this.#stalled(performance.now() - this.#vacantSince)
    this.#vacantSince = undefined
  }

  #stalled(ms) {
    this.#counts.longestStallMs = Math.max(this.#counts.longestStallMs, ms)
  }

  #hearBystander({ stallMs = 0 }) {
    this.#counts.machineStallMs = Math.max(this.#counts.machineStallMs, stallMs)
  }

  /** Whoever is there; of the publishers one only while the other is ready, so that a stall is nobody's fault but ours. */
  #killOne() {
    const ready = Array.from(this.#parties).filter(({ isReady }) => isReady)
    const isCovered = ready.filter(({ place }) => place === 'publisher').length > 1
    const victims = ready.filter(({ place }) => typeof place === 'number' || (place === 'publisher' && isCovered))
    const victim = victims[Math.floor(this.#random() * victims.length)]
    if (victim === undefined) return
    this.#kill(victim)
    this.#counts.kills += 1
  }

  /** Who gets nothing while he awaits, or is kept waiting, says nothing either: so the silence of a consumer or the publisher counts, too. */
  #kill(party) {
    const { place, isReady, isPublishing } = party
    if (isPublishing || (isReady && typeof place === 'number')) this.#stalled(party.silenceMs)
    if (isPublishing) this.#vacantSince = performance.now()
    party.kill()
  }

  /** What they left: all were killed. Every slot is to be free, and the name to be the only one; then the next publisher can have it. */
  #leaks() {
    const directory = this.#directory
    const strangers = readdirSync(directory).filter(name => name !== NAME)
    const consumers = []
    try {
      for (let number = 0; number < CONSUMERS; number++) consumers.push(Consumer.open(NAME, Type, { directory }))
    } catch (error) {
      this.#counts.failures.push(`afterwards: ${error.message}`)
    }
    const publisher = Publisher.create(NAME, Type, { directory, buffers: this.#buffers, maxConsumers: CONSUMERS })
    publisher.write(fill(new Uint8Array(BYTE_LENGTH), publisher.totalWrites + 1))
    if (!consumers.every(consumer => isWhole(consumer.read())))
      this.#counts.failures.push('afterwards: a consumer did not see the next value')
    for (const consumer of consumers) consumer.close()
    publisher.close()
    const left = readdirSync(directory)
    rmSync(directory, { recursive: true })
    return { leakedSlots: CONSUMERS - consumers.length, leakedFiles: strangers.length + left.length }
  }
}
