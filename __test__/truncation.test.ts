import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import test from 'ava'
import { bytes, Consumer, Publisher, setFaultGuard } from 'pagecast'
import type { Child } from './helpers/child.js'
import { Pose, pose } from './helpers/pose.js'
import { type Scene, scene } from './helpers/scene.js'

const truncated = { code: 'ERR_TRUNCATED' }

/** Another process does it. */
function cut(directory: string, name: string, byteLength: number): void {
  execFileSync('truncate', ['--no-create', `--size=${byteLength}`, join(directory, name)])
}

/** By docs/format.md: where the values begin, how far they are apart, and how long the file is. */
function anatomy(directory: string, name: string) {
  const file = readFileSync(join(directory, name))
  const number = (at: number) => Number(file.readBigUInt64LE(at))
  return { control: number(80), payload: number(120), stride: number(128), whole: file.length }
}

type Part = (parts: ReturnType<typeof anatomy>) => number

const cuts: Record<string, Part> = {
  nothing: () => 0,
  'half a header': () => 100,
  'the header without its words': ({ control }) => control,
  'the header': ({ payload }) => payload,
  'half a value': ({ payload }) => payload + 40,
  'all but the last page': ({ whole }) => whole - 4096,
  'all but a byte': ({ whole }) => whole - 1,
}

for (const [what, part] of Object.entries(cuts)) {
  for (const buffers of [1, 3]) {
    scene(`a segment with ${buffers} buffers of which ${what} is left`, async (t, { directory }) => {
      using publisher = Publisher.create('pose', Pose, { directory, buffers, init: pose(1) })
      using other = Publisher.create('other', Pose, { directory, init: pose(1) })
      using held = Consumer.open('pose', Pose, { directory })
      using consumer = Consumer.open('pose', Pose, { directory })
      using observer = Consumer.open('pose', Pose, { directory, readOnly: true })
      const lock = held.readLock()
      t.is(lock.value.field1, 1)
      t.is(consumer.readInto(new Uint8Array(256)), 96)
      const parts = anatomy(directory, 'pose')
      for (const byteLength of [part(parts), parts.whole]) {
        cut(directory, 'pose', byteLength)
        for (const one of [consumer, observer]) {
          const uses: (() => unknown)[] = [
            () => one.read(),
            () => one.read({ timeout: 10_000 }),
            () => one.readInto(new Uint8Array(256)),
            () => one.readInto(Pose.view()),
            () => one.readChange(),
            () => one.hasChanged,
            () => one.totalWrites,
            () => one.stalenessMs,
            () => one.epoch,
            () => one.closed,
          ]
          for (const use of uses) t.throws(use, truncated, String(use))
          await t.throwsAsync(one.changes().next(), truncated)
        }
        t.throws(() => consumer.readLock(), truncated)
        t.throws(() => consumer.tryReadLock(), truncated)
        t.throws(() => consumer.withRead(() => t.fail()), truncated)
        await t.throwsAsync(consumer.readLockAsync(), truncated)
        t.throws(() => lock.value, truncated)
        t.throws(() => lock.bytes, truncated)
        t.throws(() => publisher.write(pose(2)), truncated)
        t.throws(() => publisher.update({ field1: 2 }), truncated)
        t.throws(() => publisher.writeLock(), truncated)
        t.throws(() => publisher.withWrite(() => t.fail()), truncated)
        t.throws(() => publisher.totalWrites, truncated)
        t.throws(() => Consumer.open('pose', Pose, { directory }))
        other.write(pose(2))
      }
      t.throws(() => lock.release(), truncated)
      t.true(lock.released)
      lock.release()
      publisher.close()
      using next = Publisher.create('pose', Pose, { directory, buffers, init: pose(3) })
      using again = Consumer.open('pose', Pose, { directory })
      t.deepEqual(again.read(), pose(3))
      t.false(next.adopted)
    })
  }
}

scene('what a lock shows while the segment is cut is told by its release', (t, { directory }) => {
  const publisher = Publisher.create('pose', Pose, { directory, buffers: 3, init: pose(1) })
  const consumer = Consumer.open('pose', Pose, { directory })
  const { payload } = anatomy(directory, 'pose')
  const use = () => {
    using lock = consumer.readLock()
    const { bytes } = lock
    cut(directory, 'pose', payload)
    return bytes[0] // zero, and no death
  }
  t.throws(use, truncated)
  const forget = () => {
    using _ = publisher
    publisher.writeLock()
  }
  t.throws(forget, truncated)
  const held = Publisher.create('held', Pose, { directory, init: pose(1) })
  const reader = Consumer.open('held', Pose, { directory })
  reader.readLock()
  cut(directory, 'held', payload)
  t.throws(() => reader.close(), truncated)
  t.true(reader.closed)
  held.close()
  consumer.close()
})

scene('native code that works on a segment that is cut lives on, and the release tells', async (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(2 ** 20), { directory, init: new Uint8Array(2 ** 20).fill(7) })
  using consumer = Consumer.open('blob', bytes(2 ** 20), { directory })
  const lock = consumer.readLock()
  const value = lock.bytes as Uint8Array
  cut(directory, 'blob', 4096)
  t.throws(() => writeFileSync(join(directory, 'copy'), value), { code: 'EFAULT' })
  rmSync(join(directory, 'copy'))
  await promisify(deflate)(value) // in the thread pool
  t.throws(() => lock.release(), truncated)
  t.throws(() => publisher.write(Uint8Array.of(1)), truncated)
})

scene('a write lock over a segment that is cut publishes nothing', (t, { directory }) => {
  const publisher = Publisher.create('pose', Pose, { directory, buffers: 3, init: pose(1) })
  const lock = publisher.writeLock()
  cut(directory, 'pose', anatomy(directory, 'pose').payload)
  t.throws(() => {
    lock.value.field1 = 2
  }, truncated)
  t.throws(() => lock.release(), truncated)
  t.true(lock.released)
  publisher.close()
})

scene('an awaiting consumer learns it, and with reopen goes on with the next segment', async (t, { directory }) => {
  for (const byteLength of [0, 4096]) {
    const first = Publisher.create('pose', Pose, { directory, init: pose(1) })
    using consumer = Consumer.open('pose', Pose, { directory })
    using follower = Consumer.open('pose', Pose, { directory })
    using observer = Consumer.open('pose', Pose, { directory, readOnly: true })
    const changes = consumer.changes()
    const watching = observer.changes()
    const following = follower.changes({ reopen: true })
    for (const each of [changes, watching, following]) t.deepEqual((await each.next()).value, pose(1))
    const [end, blind, next] = [changes.next(), watching.next(), following.next()]
    cut(directory, 'pose', byteLength)
    await t.throwsAsync(end, truncated)
    await t.throwsAsync(blind, truncated)
    first.close()
    using second = Publisher.create('pose', Pose, { directory, init: pose(2) })
    t.deepEqual((await next).value, pose(2))
    second.write(pose(3))
    t.deepEqual(follower.read(), pose(3))
    await following.return?.()
  }
})

scene('an iteration that goes on with the next segment leaves it to a lock over the old one to tell', async (t, { directory }) => {
  const first = Publisher.create('pose', Pose, { directory, init: pose(1) })
  using consumer = Consumer.open('pose', Pose, { directory })
  const changes = consumer.changes({ reopen: true })
  await changes.next()
  const lock = consumer.readLock()
  const next = changes.next()
  cut(directory, 'pose', 4096)
  first.close()
  using _ = Publisher.create('pose', Pose, { directory, init: pose(2) })
  t.deepEqual((await next).value, pose(2))
  t.true(lock.released)
  t.throws(() => lock.release(), truncated)
  lock.release()
  t.deepEqual(consumer.read(), pose(2))
  await changes.return?.()
})

const small = ['small writer', 'readInto']
const large = ['large writer', 'readInto of much', 'read', 'read of a read-only consumer', 'withRead', 'changes']

async function contend(scene: Scene, [publisher = '', ...readers]: string[], place: string): Promise<Child[]> {
  const writer = scene.child('cut', [publisher, place])
  await writer.says('ready')
  const children = readers.map(role => scene.child('cut', [role, place]))
  for (const child of children) await child.says('ready')
  return [writer, ...children]
}

for (const place of ['main', 'worker']) {
  for (const [name, roles] of Object.entries({ small, large })) {
    scene(`nothing that is copied meanwhile is handed out: ${name} values, ${place} thread`, async (t, scene) => {
      for (const [what, part] of Object.entries({ ...cuts, 'half of all': (parts: ReturnType<typeof anatomy>) => parts.whole / 2 + 100 })) {
        if (what !== 'nothing' && what !== 'the header' && what !== 'half a value' && what !== 'half of all') continue
        scene.doing(`${what} is left`)
        const children = await contend(scene, roles, place)
        const parts = anatomy(scene.directory, name)
        await new Promise(resolve => setTimeout(resolve, 20))
        cut(scene.directory, name, part(parts))
        if (what === 'half of all') cut(scene.directory, name, parts.whole)
        for (const child of children) {
          t.like(await child.says('refused'), { code: 'ERR_TRUNCATED', spoiled: 0, own: [1, 2] }, `${child.title}: ${what} is left`)
          await child.end()
        }
        scene.remove(name)
      }
    })
  }
}

for (const [how, args, env] of [
  ['by the environment', [], { PAGECAST_FAULT_GUARD: 'off' }],
  ['by a call', ['off'], {}],
] as const) {
  scene(`without the guard, switched off ${how}, the process dies of SIGBUS`, async (t, scene) => {
    const writer = scene.child('cut', ['large writer', 'main', ...args], { env })
    await writer.says('ready')
    cut(scene.directory, 'large', 0)
    t.is((await writer.exit).signal, 'SIGBUS')
    scene.remove('large')
  })
}

scene('WebAssembly traps work before and after', async (t, scene) => {
  const works = [0, 'RuntimeError']
  const child = scene.child('wasm')
  t.like(await child.says('done'), {
    before: works,
    between: works,
    refused: 'ERR_TRUNCATED',
    after: works,
    written: 'ERR_READ_ONLY',
    last: works,
  })
  await child.succeeds()
})

scene('a worker can be terminated while its pages are gone', async (t, scene) => {
  const [writer] = await contend(scene, ['large writer'], 'main')
  const reader = scene.child('cut', ['withRead', 'worker'])
  await reader.says('ready')
  cut(scene.directory, 'large', 4096)
  await reader.says('refused')
  await reader.succeeds() // the worker is over, and then the process
  t.is((await writer?.says('refused'))?.code, 'ERR_TRUNCATED')
  await writer?.end()
  scene.remove('large')
})

scene('no room is taken for the mark that a value could use', (t, { directory }) => {
  using publisher = Publisher.create('blob', bytes(65_536), { directory, buffers: 1 })
  t.is(statSync(join(directory, 'blob')).size, 131_072)
  publisher.write(new Uint8Array(65_536).fill(1))
  using consumer = Consumer.open('blob', bytes(65_536), { directory })
  t.true((consumer.read() as Uint8Array).every(byte => byte === 1))
})

test('the guard is switched with true and false', t => {
  for (const wrong of [undefined, 1, 'off', null]) t.throws(() => setFaultGuard(wrong as never), { code: 'ERR_INVALID_ARGUMENT' })
  setFaultGuard(false)
  setFaultGuard(true)
})
