import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { LockError, Mutex, PAGE_SIZE, type PagecastError, PublicationError, Region, RegionError, SegmentError } from 'pagecast'
import { type Holdings, holdings } from './helpers/holdings.js'
import { cut, fileOf, sparseFile } from './helpers/region.js'
import { mutexes } from './helpers/region-scene.js'

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

const DIED = 2 ** 30
const WAITERS = 2 ** 31

/** A region with two participants of its mutex at byte 0. */
function two(): { region: Region; word: Uint32Array; one: Mutex; other: Mutex } & Disposable {
  const region = Region.map({ size: 65_536 })
  const [one, other] = [Mutex.at(region, 0), Mutex.at(region, 0)]
  const end = () => {
    for (const each of [one, other, region]) each.close()
  }
  return { region, word: region.view(Uint32Array, 0, 1), one, other, [Symbol.dispose]: end }
}

/** A helper thread that is told to end holds on to its descriptor until it does: not long, but nobody says when. A leak never ends. */
async function noMoreIsHeld(directory: string, before: Holdings): Promise<void> {
  for (;;) {
    const { descriptors, mappings } = holdings(directory)
    if (descriptors <= before.descriptors && mappings <= before.mappings) return
    await delay(1)
  }
}

function refused(t: ExecutionContext, code: string, family: typeof PagecastError, call: () => unknown): PagecastError {
  const error = t.throws(call, { code }, String(call)) as PagecastError
  t.true(error instanceof family)
  return error
}

mutexes('one at a time, until it is released, once', t => {
  using scene = two()
  const { one, other, word } = scene
  t.is(one.holder, undefined)
  const lock = one.lock()
  t.false(lock.recovered)
  t.false(lock.released)
  t.is(word[0], 1)
  t.deepEqual(other.holder, { pid: process.pid, slot: 0 })
  t.is(other.tryLock(), undefined)
  for (const again of [() => one.lock(), () => one.tryLock(), () => one.withLock(() => {})]) {
    refused(t, 'ERR_ALREADY_LOCKED', LockError, again)
  }
  lock.release()
  lock.release()
  t.true(lock.released)
  t.is(word[0], 0)
  const next = other.tryLock()
  t.false(next?.recovered)
  lock.release()
  lock[Symbol.dispose]()
  t.is(word[0], 2, 'it is another one’s by now')
  next?.release()
  t.is(word[0], 0)
})

mutexes('using and withLock release it, also by a throw', t => {
  using scene = two()
  const { one, word } = scene
  {
    using _ = one.lock()
    t.is(word[0], 1)
  }
  t.is(word[0], 0)
  t.is(
    one.withLock(lock => {
      t.false(lock.recovered)
      return word[0]
    }),
    1,
  )
  t.is(word[0], 0)
  const failure = new Error('the end')
  const thrown = t.throws(() =>
    one.withLock(() => {
      throw failure
    }),
  )
  t.is(thrown as Error, failure)
  t.is(word[0], 0)
  t.throws(() => one.withLock(async () => {}), { code: 'ERR_PROMISE_RETURNED' })
  t.is(word[0], 0)
  one.withLock(lock => lock.release())
  t.is(word[0], 0)
})

mutexes('a wait that is over names the holder', t => {
  using scene = two()
  const { one, other } = scene
  using _ = one.lock()
  for (const timeout of [0, 0.5, 120]) {
    const message = new RegExp(
      `^lock the mutex at byte 0 of the region of .*: ${timeout} ms are over, held by pid ${process.pid} in slot 0$`,
    )
    t.throws(() => other.lock({ timeout }), { code: 'ERR_TIMEOUT', message })
  }
  t.throws(() => other.withLock(() => t.fail(), { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  const start = performance.now()
  t.throws(() => other.lock(), { code: 'ERR_TIMEOUT', message: /1000 ms/ })
  t.true(performance.now() - start >= 999)
})

mutexes('on the event loop it is waited for, too, and the loop goes on', async t => {
  using scene = two()
  const { one, other, word } = scene
  for (let round = 0; round < 20; round++) {
    const lock = one.lock()
    const order: string[] = []
    const pending = other.lockAsync().then(next => {
      order.push('got it')
      return next
    })
    await delay(round % 4 === 0 ? 60 : 2)
    order.push('released')
    lock.release()
    const next = await pending
    t.false(next.recovered)
    t.deepEqual(order, ['released', 'got it'])
    t.is(Number(word[0]) % DIED, 2)
    next.release()
    t.is(word[0], 0)
  }
})

mutexes('those of one thread take turns on one', async t => {
  using scene = two()
  const { one, word } = scene
  let [inside, most, done] = [0, 0, 0]
  const turn = async () => {
    using _ = await one.lockAsync()
    inside += 1
    most = Math.max(most, inside)
    await delay(1)
    inside -= 1
    done += 1
  }
  await Promise.all(Array.from({ length: 10 }, turn))
  t.deepEqual([most, done, word[0]], [1, 10, 0])
})

mutexes('many that await, in many participants, all get it', async t => {
  using region = Region.map({ size: 65_536 })
  const participants = Array.from({ length: 8 }, () => Mutex.at(region, 0))
  let inside = 0
  const work = async (mutex: Mutex) => {
    for (let time = 0; time < 20; time++) {
      using _ = await mutex.lockAsync()
      inside += 1
      t.is(inside, 1)
      if (time % 5 === 0) await delay(1)
      inside -= 1
    }
  }
  await Promise.all(participants.map(work))
  for (const mutex of participants) mutex.close()
})

mutexes('an awaited wait ends by timeout, by its signal, and by close', async t => {
  using scene = two()
  const { one, other, word } = scene
  const lock = one.lock()
  await t.throwsAsync(other.lockAsync({ timeout: 30 }), { code: 'ERR_TIMEOUT', message: /30 ms are over, held by pid \d+ in slot 0$/ })
  await t.throwsAsync(other.lockAsync({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(one.lockAsync({ timeout: 30 }), { code: 'ERR_TIMEOUT' }, 'its own')
  const early = await t.throwsAsync<LockError>(other.lockAsync({ signal: AbortSignal.abort('early') }), { code: 'ERR_ABORTED' })
  t.is(early?.cause, 'early')
  const controller = new AbortController()
  const aborted = t.throwsAsync<LockError>(other.lockAsync({ signal: controller.signal }), { code: 'ERR_ABORTED' })
  await delay(10)
  controller.abort('enough')
  t.is((await aborted)?.cause, 'enough')
  const closed = t.throwsAsync(other.lockAsync(), { code: 'ERR_DISPOSED' })
  await delay(10)
  other.close()
  await closed
  lock.release()
  t.is(word[0], 0)
})

mutexes('an abort that comes with the wake-up passes it on', async t => {
  using scene = two()
  const { region, one, other } = scene
  using third = Mutex.at(region, 0)
  for (let round = 0; round < 50; round++) {
    const lock = one.lock()
    const controller = new AbortController()
    const first = other.lockAsync({ signal: controller.signal })
    const second = third.lockAsync()
    await delay(1)
    lock.release()
    controller.abort()
    const got = await first.catch(() => undefined)
    got?.release()
    ;(await second).release()
  }
  t.pass()
})

mutexes('what was closed while it was held is told to the next one, once', t => {
  using scene = two()
  const { region, one, other, word } = scene
  const lock = one.lock()
  one.close()
  t.true(lock.released)
  lock.release()
  t.is(word[0], DIED)
  t.true(other.withLock(next => next.recovered))
  t.false(other.withLock(next => next.recovered))
  using third = Mutex.at(region, 0)
  t.is(
    third.withLock(() => other.holder?.slot),
    0,
    'the slot is free again',
  )
})

mutexes('after close everything is ERR_DISPOSED, and close does nothing', async t => {
  using scene = two()
  const { one } = scene
  one.close()
  one[Symbol.dispose]()
  t.true(one.closed)
  for (const use of [() => one.lock(), () => one.tryLock(), () => one.withLock(() => {}), () => one.holder]) {
    refused(t, 'ERR_DISPOSED', PublicationError, use)
  }
  await t.throwsAsync(one.lockAsync(), { code: 'ERR_DISPOSED' })
})

mutexes('it outlives its region, and leaves nothing', async (t, { directory }) => {
  const file = sparseFile(directory, PAGE_SIZE)
  const before = holdings(directory)
  const region = Region.map({ source: { file } })
  const [one, other] = [Mutex.at(region, 64), Mutex.at(region, 64)]
  region.close()
  using lock = one.lock()
  t.is(other.tryLock(), undefined)
  lock.release()
  t.false(other.withLock(({ recovered }) => recovered))
  one.lock()
  await t.throwsAsync(other.lockAsync({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  one.close()
  other.close()
  await noMoreIsHeld(directory, before)
  t.pass()
})

mutexes('the largest number of milliseconds is as long as it takes', async t => {
  using scene = two()
  const { one, other } = scene
  const patience = { timeout: Number.MAX_SAFE_INTEGER }
  const lock = one.lock(patience)
  const pending = other.lockAsync(patience)
  t.is(await Promise.race([pending, delay(30, 'waits')]), 'waits')
  lock.release()
  using _ = await pending
  t.is(one.tryLock(), undefined)
})

mutexes('every argument is checked, and what is refused leaves nothing', async (t, { directory }) => {
  const invalid = 'ERR_INVALID_ARGUMENT'
  const file = fileOf(directory, new Uint8Array(PAGE_SIZE))
  using region = Region.map({ source: { file } })
  using readOnly = Region.map({ source: { file }, access: 'r' })
  using copy = Region.map({ source: { file }, sharing: 'private' })
  using device = Region.map({ source: { file: '/dev/zero' }, size: PAGE_SIZE })
  using short = Region.map({ source: 'memfd', size: 100 })
  const closed = Region.map({ size: PAGE_SIZE })
  closed.close()
  const before = holdings(directory)
  for (const value of [undefined, null, {}, 7, 'region', region.bytes]) {
    t.throws(() => Mutex.at(bad(value), 0), { code: invalid, message: /region is / })
  }
  for (const value of [undefined, null, '0', 0n, Number.NaN, Number.POSITIVE_INFINITY, -64, 0.5, 1, 63, 65, 2 ** 53, true]) {
    t.throws(() => Mutex.at(region, bad(value)), { code: invalid, message: /byteOffset is / }, String(value))
  }
  for (const value of [PAGE_SIZE, PAGE_SIZE + 64, 2 ** 52]) t.throws(() => Mutex.at(region, value), { code: 'ERR_VALUE_RANGE' })
  t.throws(() => Mutex.at(short, 64), { code: 'ERR_VALUE_RANGE' })
  refused(t, 'ERR_READ_ONLY', LockError, () => Mutex.at(readOnly, 0))
  refused(t, 'ERR_PRIVATE', RegionError, () => Mutex.at(copy, 0))
  refused(t, 'ERR_PRIVATE', RegionError, () => Mutex.at(device, 0))
  refused(t, 'ERR_DISPOSED', PublicationError, () => Mutex.at(closed, 0))
  await noMoreIsHeld(directory, before)

  using mutex = Mutex.at(region, PAGE_SIZE - 64)
  for (const timeout of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, 5n]) {
    t.throws(() => mutex.lock({ timeout: bad(timeout) }), { code: invalid, message: /^lock the mutex at byte [\d,]+ of .*timeout is / })
    t.throws(() => mutex.withLock(() => {}, { timeout: bad(timeout) }), { code: invalid })
    await t.throwsAsync(mutex.lockAsync({ timeout: bad(timeout) }), { code: invalid })
  }
  for (const options of [null, 5, 'options', [], { patience: 5 }]) {
    t.throws(() => mutex.lock(bad(options)), { code: invalid })
    await t.throwsAsync(mutex.lockAsync(bad(options)), { code: invalid })
  }
  t.throws(() => mutex.lock(bad({ signal: AbortSignal.timeout(5) })), { code: invalid, message: /there is no option "signal"/ })
  await t.throwsAsync(mutex.lockAsync({ signal: bad({ aborted: true }) }), { code: invalid })
  for (const use of [undefined, null, {}, 'use']) t.throws(() => mutex.withLock(bad(use)), { code: invalid })
  t.is(mutex.holder, undefined)
})

mutexes('a word that no participant wrote is ERR_CORRUPT', async t => {
  using scene = two()
  const { one, word } = scene
  for (const wrong of [1, 1025, 2 ** 29, 1 + WAITERS, 2 ** 32 - 1]) {
    word[0] = wrong
    refused(t, 'ERR_CORRUPT', SegmentError, () => one.tryLock())
    refused(t, 'ERR_CORRUPT', SegmentError, () => one.lock())
    await t.throwsAsync(one.lockAsync(), { code: 'ERR_CORRUPT' })
    t.is(word[0], wrong)
  }
  word[0] = 0
  const lock = one.lock()
  word[0] = 2
  refused(t, 'ERR_CORRUPT', SegmentError, () => lock.release())
  t.true(lock.released)
  t.is(word[0], 2, 'nobody unlocks what is another one’s')
  word[0] = 7 // nobody has that number
  t.true(one.withLock(({ recovered }) => recovered))
})

mutexes('a file that is cut short is ERR_TRUNCATED, and never a free mutex', async (t, { directory }) => {
  for (const length of [0, 100]) {
    const file = fileOf(directory, new Uint8Array(2 * PAGE_SIZE))
    using region = Region.map({ source: { file } })
    using held = Mutex.at(region, 128)
    using free = Mutex.at(region, 128)
    using awaited = Mutex.at(region, 128)
    const lock = held.lock()
    const pending = t.throwsAsync(awaited.lockAsync(), { code: 'ERR_TRUNCATED' })
    cut(file, length)
    refused(t, 'ERR_TRUNCATED', SegmentError, () => free.lock())
    refused(t, 'ERR_TRUNCATED', SegmentError, () => free.tryLock())
    refused(t, 'ERR_TRUNCATED', SegmentError, () => lock.release())
    lock.release()
    await pending
    cut(file, 2 * PAGE_SIZE)
    refused(t, 'ERR_TRUNCATED', SegmentError, () => free.lock())
    using again = Region.map({ source: { file } })
    using next = Mutex.at(again, 128)
    t.false(next.withLock(({ recovered }) => recovered))
  }
})

mutexes('regions that begin elsewhere in a file find the same one', (t, { directory }) => {
  const file = sparseFile(directory, 3 * PAGE_SIZE)
  using whole = Region.map({ source: { file } })
  using part = Region.map({ source: { file }, offset: PAGE_SIZE })
  using one = Mutex.at(whole, PAGE_SIZE + 64)
  using same = Mutex.at(part, 64)
  using next = Mutex.at(part, 128)
  using _ = one.lock()
  t.is(same.tryLock(), undefined)
  t.false(next.withLock(({ recovered }) => recovered))
})
