// One of those who use a segment, or who write nonsense into it, until there is a file `over`. All errors must be the library's own.
//
//   attacked.js DIRECTORY ROLE BUFFERS
import { closeSync, existsSync, fstatSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { Consumer, PagecastError, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { say } from './stage.js'

const [directory = '', role = '', buffers = ''] = process.argv.slice(2)
const path = join(directory, 'pose')
const options = { timeout: 5 }
/** Calls on an open publication that came back well, or what an attacker wrote. */
let succeeded = 0

const isOver = () => existsSync(join(directory, 'over'))

function succeed(): void {
  if (succeeded === 0) say('succeeded')
  succeeded += 1
}

/** The library may refuse, in its own words. */
function allow<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (!(error instanceof PagecastError) || !error.code.startsWith('ERR_')) throw error
    return undefined
  }
}

/** Counts, if it comes back well. */
function attempt<T>(call: () => T): T | undefined {
  return allow(() => {
    const result = call()
    succeed()
    return result
  })
}

function attack(): void {
  const random = (below: number) => Math.floor(Math.random() * below)
  while (!isOver()) {
    let file: number
    try {
      file = openSync(path, 'r+')
    } catch {
      continue // nobody has made it yet
    }
    const { size } = fstatSync(file)
    for (let count = 0; count < 1000; count++) {
      const nonsense = Buffer.from(Array.from({ length: 1 + random(8) }, () => (random(2) === 0 ? random(256) : random(4))))
      const at = random(3) === 0 ? random(size) : 700 + random(2500)
      writeSync(file, nonsense, 0, nonsense.length, Math.min(at, size - nonsense.length))
      succeed()
    }
    closeSync(file)
  }
}

function publish(): void {
  while (!isOver()) {
    const publisher = allow(() => Publisher.create('pose', Pose, { directory, buffers: Number(buffers), timeout: 5 }))
    if (publisher === undefined) rmSync(path, { force: true }) // not one of ours any more, by its looks
    for (let number = 1; number < 500 && publisher !== undefined && !isOver(); number++) {
      attempt(() => publisher.write(pose(number), options))
      attempt(() => publisher.update({ field1: number }, options))
      attempt(() => publisher.withWrite(value => value.field2, options))
      allow(() => publisher.writeLock(options).abort())
      allow(() => publisher.totalWrites)
    }
    allow(() => publisher?.close())
  }
}

function check(value: unknown): void {
  const { field1, field2, name, trail } = value as ReturnType<typeof pose>
  const isSound = Number.isInteger(field1) && typeof field2 === 'number' && name.length <= 16 && trail.length === 8
  if (!isSound) throw new Error(`unsound: ${JSON.stringify(value)}`)
}

function useOnce(consumer: Consumer<typeof Pose>): void {
  const values = [
    attempt(() => consumer.read(options)),
    attempt(() => consumer.readChange(options)),
    attempt(() => consumer.withRead(({ field1, field2, name, trail }) => ({ field1, field2, name, trail: trail.slice() }), options)),
    allow(() => consumer.readLock(options).release()),
  ]
  for (const value of values) if (value !== undefined) check(value)
  const byteLength = attempt(() => consumer.readInto(new Uint8Array(Pose.byteLength), options))
  if (byteLength !== undefined && byteLength !== Pose.byteLength) throw new Error(`unsound: ${byteLength} bytes`)
  attempt(() => consumer.readInto(Pose.view(), options))
  allow(() => [consumer.hasChanged, consumer.totalWrites, consumer.stalenessMs, consumer.epoch, consumer.publisherAlive, consumer.closed])
}

function consume(open: () => Consumer<typeof Pose>): void {
  while (!isOver()) {
    const consumer = allow(open)
    for (let turn = 0; turn < 100 && consumer !== undefined && !isOver(); turn++) useOnce(consumer)
    allow(() => consumer?.close())
  }
}

function look(): void {
  while (!isOver()) {
    const consumer = allow(() => Consumer.openDynamic('pose', { directory }))
    for (let turn = 0; turn < 20 && consumer !== undefined; turn++) attempt(() => consumer.read(options))
    allow(() => consumer?.schema?.toC('pose_t'))
    allow(() => consumer?.close())
  }
}

async function follow(): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  const clock = setInterval(() => isOver() && controller.abort(), 10)
  while (!isOver()) {
    const consumer = allow(() => Consumer.open('pose', Pose, { directory }))
    try {
      for await (const value of consumer?.changes({ signal, reopen: true }) ?? []) {
        check(value)
        succeed()
      }
    } catch (error) {
      allow(() => {
        throw error
      })
    }
    allow(() => consumer?.close())
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  clearInterval(clock)
}

const roles: Record<string, () => Promise<void> | void> = {
  attacker: attack,
  publisher: publish,
  consumer: () => consume(() => Consumer.open('pose', Pose, { directory })),
  observer: () => consume(() => Consumer.open('pose', Pose, { directory, readOnly: true })),
  dynamic: look,
  follower: follow,
}

await roles[role]?.()
say('done', { succeeded })
