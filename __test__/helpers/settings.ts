import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { Consumer, Mutex, Publisher, Region } from 'pagecast'
import { Pose, pose } from './pose.js'

/** Why somebody waits for this process, and what must go on when whoever waited is gone. */
export interface Setting {
  /** Ends the wait. */
  release(): void
  /** Whoever waited has left: its slot is free, and nothing was written. */
  check(t: ExecutionContext): void
  close(): void
}

/** Attaches in the only slot there is. */
function checkSlot(t: ExecutionContext, directory: string, publisher: Publisher<typeof Pose>): void {
  publisher.write(pose(3))
  using consumer = Consumer.open('pose', Pose, { directory })
  t.deepEqual(consumer.read(), pose(3))
}

function publication(directory: string, release: (publisher: Publisher<typeof Pose>) => void, init?: ReturnType<typeof pose>): Setting {
  const options = { directory, maxConsumers: 1 }
  const publisher = Publisher.create('pose', Pose, init === undefined ? options : { ...options, init })
  return {
    release: () => release(publisher),
    check: t => checkSlot(t, directory, publisher),
    close: () => publisher.close(),
  }
}

const settings = {
  /** There is no value yet. */
  empty: (directory: string) => publication(directory, publisher => publisher.write(pose(2))),
  /** There is one, and no newer one. */
  idle: (directory: string) => publication(directory, publisher => publisher.write(pose(2)), pose(1)),
  /** The publisher lives. */
  taken: (directory: string) => publication(directory, publisher => publisher.close(), pose(1)),
  /** The one buffer is being written. */
  written: (directory: string): Setting => {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1, maxConsumers: 1 })
    const lock = publisher.writeLock()
    return {
      release: () => lock.release(),
      check: t => {
        lock.release()
        checkSlot(t, directory, publisher)
      },
      close: () => publisher.close(),
    }
  },
  /** The one buffer is held, and the publisher's place is free. */
  held: (directory: string): Setting => {
    const publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
    const consumer = Consumer.open('pose', Pose, { directory })
    const lock = consumer.readLock()
    publisher.close({ keep: true })
    return {
      release: () => lock.release(),
      check: t => {
        t.is(lock.value.field1, 1)
        lock.release()
        using successor = Publisher.create('pose', Pose, { directory })
        t.true(successor.adopted)
        t.deepEqual(consumer.read(), pose(1)) // nothing of the write had begun
      },
      close: () => consumer.close(),
    }
  },
  /** Somebody holds the mutex. */
  locked: (directory: string): Setting => {
    const file = join(directory, 'mutex')
    writeFileSync(file, new Uint8Array(4096))
    const region = Region.map({ source: { file } })
    const mutex = Mutex.at(region, 0)
    const lock = mutex.lock()
    return {
      release: () => lock.release(),
      check: t => {
        t.false(lock.released)
        using other = Mutex.at(region, 0)
        t.is(other.tryLock(), undefined)
        lock.release()
        t.false(other.withLock(({ recovered }) => recovered))
        using third = Mutex.at(region, 0)
        t.is(
          third.withLock(() => mutex.holder?.slot),
          2,
          'the slot of whoever waited is free',
        )
      },
      close: () => {
        mutex.close()
        region.close()
        rmSync(file)
      },
    }
  },
  /** Nobody is there. */
  absent: (directory: string): Setting => {
    let publisher: Publisher<typeof Pose> | undefined
    const release = () => {
      publisher = Publisher.create('pose', Pose, { directory, init: pose(1), ifDead: 'fail' })
    }
    return { release, check: release, close: () => publisher?.close() }
  },
}

/** The waits of `children/waits.ts` that block the thread, and the setting of each. */
export const blocking: Record<string, keyof typeof settings> = {
  read: 'written',
  'read without a slot': 'written',
  'read a first value': 'empty',
  readInto: 'written',
  readChange: 'written',
  withRead: 'written',
  readLock: 'written',
  create: 'held',
  write: 'held',
  update: 'held',
  withWrite: 'held',
  writeLock: 'held',
  'lock a mutex': 'locked',
  'withLock of a mutex': 'locked',
}

/** Those that leave the event loop free. */
export const awaiting: Record<string, keyof typeof settings> = {
  readLockAsync: 'written',
  'readLockAsync of a first value': 'empty',
  changes: 'idle',
  'changes, shut out': 'written',
  'changes, reopen': 'absent',
  waitAndOpen: 'absent',
  waitAndOpenDynamic: 'absent',
  standby: 'taken',
  'lockAsync a mutex': 'locked',
}

export const waits = { ...blocking, ...awaiting }

export function settingOf(wait: string, directory: string): Setting {
  return settings[waits[wait] as keyof typeof settings](directory)
}
