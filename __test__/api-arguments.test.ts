import type { ExecutionContext } from 'ava'
import { bytes, Consumer, i32, PagecastError, Publisher, struct } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

// The binding would turn NaN into 0 and 1.5 into 1: what is refused here must be refused before it gets there.

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

const NAMES = ['', '.', '..', 'a/b', '/a', 'a\0b', 'a'.repeat(256), 'ä'.repeat(128), '.pagecast-x', '\ud800', undefined, null, 7, {}, ['a']]
const NO_INTEGERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5, -1, '2', 2n, null, true, {}, [2]]
const NO_TIMES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -0.001, '2', 2n, null, true, {}, [2]]
const NO_BOOLEANS = [0, 1, 'true', null, {}]
const NO_OBJECTS = [null, 5, 'options', true, []]
const NO_FUNCTIONS = [undefined, null, 5, {}, 'f']
const NO_SIGNALS = [null, 5, 'signal', {}, new EventTarget()]
const NO_TYPES = [undefined, null, 5, 'struct', {}, { a: i32 }, i32, struct, bytes]

type Call = () => unknown

/** All of them throw this code, in a message that begins with `subject`. */
function refused(t: ExecutionContext, code: string, subject: string, calls: Call[]): void {
  for (const call of calls) {
    const error = t.throws(call, { code }, String(call)) as PagecastError
    t.true(error instanceof PagecastError)
    t.true(error.message.startsWith(subject), error.message)
  }
}

async function refusedLater(t: ExecutionContext, code: string, calls: (() => Promise<unknown>)[]): Promise<void> {
  for (const call of calls) t.true((await t.throwsAsync(call, { code })) instanceof PagecastError)
}

const INVALID = 'ERR_INVALID_ARGUMENT'

scene('names', async (t, { directory }) => {
  for (const name of NAMES.map(bad)) {
    refused(t, 'ERR_INVALID_NAME', 'create: the name ', [() => Publisher.create(name, Pose, { directory })])
    refused(t, 'ERR_INVALID_NAME', 'open: the name ', [() => Consumer.open(name, Pose, { directory })])
    refused(t, 'ERR_INVALID_NAME', 'openDynamic: the name ', [() => Consumer.openDynamic(name, { directory })])
    await refusedLater(t, 'ERR_INVALID_NAME', [
      () => Consumer.waitAndOpen(name, Pose, { directory }),
      () => Consumer.waitAndOpenDynamic(name, { directory }),
      () => Publisher.standby(name, Pose, { directory }),
    ])
  }
})

scene('the longest name is a name', (t, { directory }) => {
  for (const name of ['a'.repeat(255), 'ä'.repeat(127), 'a b', '...', '-', '.hidden']) {
    using publisher = Publisher.create(name, Pose, { directory, init: pose(1) })
    using consumer = Consumer.open(name, Pose, { directory })
    t.is(consumer.name, name)
    t.deepEqual(consumer.read(), pose(publisher.totalWrites))
  }
})

scene('types', async (t, { directory }) => {
  for (const type of NO_TYPES.map(bad)) {
    refused(t, 'ERR_INVALID_TYPE', 'create pose: ', [() => Publisher.create('pose', type, { directory })])
    refused(t, 'ERR_INVALID_TYPE', 'open pose: ', [() => Consumer.open('pose', type, { directory })])
    await refusedLater(t, 'ERR_INVALID_TYPE', [
      () => Consumer.waitAndOpen('pose', type, { directory, timeout: 0 }),
      () => Publisher.standby('pose', type, { directory, timeout: 0 }),
    ])
  }
})

scene('sizes and permission bits', async (t, { directory }) => {
  const create = (options: object) => () => Publisher.create('pose', Pose, { directory, ...options })
  for (const value of NO_INTEGERS) {
    refused(t, INVALID, 'create pose: buffers is ', [create({ buffers: value })])
    refused(t, INVALID, 'create pose: maxConsumers is ', [create({ maxConsumers: value })])
    refused(t, INVALID, 'create pose: mode is ', [create({ mode: value })])
    await refusedLater(t, INVALID, [() => Publisher.standby('pose', Pose, { directory, buffers: bad(value) })])
    refused(t, INVALID, 'bytes: ', [() => bytes(bad(value))])
  }
  const beyond = [
    { buffers: 0 },
    { buffers: 64 },
    { maxConsumers: 0 },
    { maxConsumers: 1025 },
    { mode: 0o1000 },
    { mode: 0o400 },
    { mode: 0 },
  ]
  refused(t, INVALID, 'create pose: ', beyond.map(create))
  refused(t, INVALID, 'bytes: ', [() => bytes(0), () => bytes(2 ** 31), () => bytes(bad(undefined))])
})

scene('what is one of a few words', (t, { directory }) => {
  for (const ifDead of ['ADOPT', '', 'keep', null, 1, true].map(bad)) {
    refused(t, INVALID, 'create pose: ifDead is ', [() => Publisher.create('pose', Pose, { directory, ifDead })])
  }
})

scene('directories', async (t, { directory }) => {
  for (const wrong of ['', 'a\0b', null, 5, {}, new URL('file:///dev/shm')].map(bad)) {
    refused(t, INVALID, 'create pose: directory is ', [() => Publisher.create('pose', Pose, { directory: wrong })])
    refused(t, INVALID, 'open pose: directory is ', [() => Consumer.open('pose', Pose, { directory: wrong })])
    await refusedLater(t, INVALID, [
      () => Consumer.waitAndOpen('pose', Pose, { directory: wrong, timeout: 0 }),
      () => Publisher.standby('pose', Pose, { directory: wrong, timeout: 0 }),
    ])
  }
  t.true(directory.length > 0)
})

scene('a first value is checked before there is a segment', async (t, scene) => {
  const { directory } = scene
  const { field1: _, ...missing } = pose(1)
  const wrong = { ...pose(1), field1: 2 ** 31 }
  const unknown = { ...pose(1), more: 1 }
  t.throws(() => Publisher.create('pose', Pose, { directory, init: bad(missing) }), { code: 'ERR_MISSING_FIELD', message: /field1/ })
  t.throws(() => Publisher.create('pose', Pose, { directory, init: wrong }), { code: 'ERR_VALUE_RANGE', message: /field1/ })
  t.throws(() => Publisher.create('pose', Pose, { directory, init: bad(unknown) }), { code: 'ERR_UNKNOWN_FIELD', message: /more/ })
  t.throws(() => Publisher.create('blob', bytes(4), { directory, init: new Uint8Array(5) }), { code: 'ERR_INVALID_SIZE' })
  t.throws(() => Publisher.create('blob', bytes(4), { directory, init: bad('text') }), { code: INVALID })
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory, init: wrong }), { code: 'ERR_VALUE_RANGE', message: /field1/ })
  t.deepEqual(scene.names(), [])
})

scene('options that are no options', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const calls: ((options: never) => unknown)[] = [
    options => Publisher.create('other', Pose, options),
    options => publisher.write(pose(2), options),
    options => publisher.update({ field1: 2 }, options),
    options => publisher.writeLock(options),
    options => publisher.withWrite(() => t.fail(), options),
    options => publisher.close(options),
    options => Consumer.open('pose', Pose, options),
    options => Consumer.openDynamic('pose', options),
    options => consumer.read(options),
    options => consumer.readInto(Pose.view(), options),
    options => consumer.readChange(options),
    options => consumer.readLock(options),
    options => consumer.withRead(() => t.fail(), options),
    options => consumer.changes(options),
  ]
  const later: ((options: never) => Promise<unknown>)[] = [
    options => Consumer.waitAndOpen('pose', Pose, options),
    options => Consumer.waitAndOpenDynamic('pose', options),
    options => Publisher.standby('other', Pose, options),
    options => consumer.readLockAsync(options),
  ]
  for (const options of [...NO_OBJECTS, { tiemout: 5 }].map(bad)) {
    for (const call of calls) t.throws(() => call(options), { code: INVALID }, String(call))
    for (const call of later) await t.throwsAsync(() => call(options), { code: INVALID }, String(call))
  }
  t.throws(() => consumer.read(bad({ tiemout: 5 })), { message: 'read pose: there is no option "tiemout", expected timeout' })
  t.deepEqual(consumer.read(), pose(1))
  t.false(publisher.closed)
})

scene('timeouts', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  for (const timeout of NO_TIMES.map(bad)) {
    refused(t, INVALID, 'create other: timeout is ', [() => Publisher.create('other', Pose, { directory, timeout })])
    refused(t, INVALID, 'write pose: timeout is ', [() => publisher.write(pose(2), { timeout })])
    refused(t, INVALID, 'update pose: timeout is ', [() => publisher.update({ field1: 2 }, { timeout })])
    refused(t, INVALID, 'writeLock pose: timeout is ', [() => publisher.writeLock({ timeout })])
    refused(t, INVALID, 'withWrite pose: timeout is ', [() => publisher.withWrite(() => t.fail(), { timeout })])
    refused(t, INVALID, 'read pose: timeout is ', [() => consumer.read({ timeout })])
    refused(t, INVALID, 'readInto pose: timeout is ', [() => consumer.readInto(Pose.view(), { timeout })])
    refused(t, INVALID, 'readChange pose: timeout is ', [() => consumer.readChange({ timeout })])
    refused(t, INVALID, 'readLock pose: timeout is ', [() => consumer.readLock({ timeout })])
    refused(t, INVALID, 'changes pose: timeout is ', [() => consumer.changes({ timeout })])
    refused(t, INVALID, 'withRead pose: timeout is ', [() => consumer.withRead(() => t.fail(), { timeout })])
    await refusedLater(t, INVALID, [
      () => consumer.readLockAsync({ timeout }),
      () => Consumer.waitAndOpen('none', Pose, { directory, timeout }),
      () => Publisher.standby('other', Pose, { directory, timeout }),
    ])
  }
  for (const timeout of [0, -0, 0.25, 1e9]) t.deepEqual(consumer.read({ timeout }), pose(1))
})

scene('switches, rates and signals', async (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  for (const flag of NO_BOOLEANS.map(bad)) {
    refused(t, INVALID, 'writeLock pose: copy is ', [() => publisher.writeLock({ copy: flag })])
    refused(t, INVALID, 'close pose: keep is ', [() => publisher.close({ keep: flag })])
    refused(t, INVALID, 'open pose: readOnly is ', [() => Consumer.open('pose', Pose, { directory, readOnly: flag })])
    refused(t, INVALID, 'open pose: exact is ', [() => Consumer.open('pose', Pose, { directory, exact: flag })])
    for (const option of ['reopen', 'ref', 'withMeta']) {
      refused(t, INVALID, `changes pose: ${option} is `, [() => consumer.changes({ [option]: flag })])
    }
  }
  for (const maxRate of [...NO_TIMES, 0].map(bad)) refused(t, INVALID, 'changes pose: maxRate is ', [() => consumer.changes({ maxRate })])
  for (const signal of NO_SIGNALS.map(bad)) {
    refused(t, INVALID, 'changes pose: signal is ', [() => consumer.changes({ signal })])
    await refusedLater(t, INVALID, [
      () => consumer.readLockAsync({ signal }),
      () => Consumer.waitAndOpen('pose', Pose, { directory, signal }),
      () => Publisher.standby('other', Pose, { directory, signal }),
    ])
  }
})

scene('functions and targets', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1), buffers: 1 })
  using consumer = Consumer.open('pose', Pose, { directory })
  for (const wrong of NO_FUNCTIONS.map(bad)) {
    refused(t, INVALID, 'withWrite pose: change is ', [() => publisher.withWrite(wrong)])
    refused(t, INVALID, 'withRead pose: look is ', [() => consumer.withRead(wrong)])
  }
  for (const target of [undefined, null, 5, [], {}, 'text', new ArrayBuffer(256), new Float64Array(32)].map(bad)) {
    refused(t, INVALID, 'readInto pose: the target is ', [() => consumer.readInto(target)])
  }
  refused(t, 'ERR_INVALID_SIZE', 'readInto pose: ', [() => consumer.readInto(new Uint8Array(Pose.byteLength - 1))])
  t.deepEqual(consumer.read(), pose(1)) // and no lock is left behind
  publisher.write(pose(2))
})

scene('a length for a write lock of bytes', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(8), { directory, init: new Uint8Array(3) })
  using lock = publisher.writeLock()
  for (const byteLength of [...NO_INTEGERS, 9, undefined].map(bad)) {
    t.throws(() => (lock.byteLength = byteLength), { code: INVALID }, String(byteLength))
  }
  t.is(lock.byteLength, 3)
})

scene('the length of a struct cannot be set to another one', (t, { directory }) => {
  using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using lock = publisher.writeLock()
  t.throws(() => (lock.byteLength = Pose.byteLength - 1), { code: INVALID })
  lock.byteLength = Pose.byteLength
  lock.abort()
})
