import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { bytes, Consumer, Publisher } from 'pagecast'
import { scene as play } from './helpers/scene.js'

// process.hrtime is CLOCK_MONOTONIC in Node, the clock that values are stamped with.
const hrtimeMs = (): number => Number(process.hrtime.bigint()) / 1e6

// What a reading of two clocks one after the other may be off by, far below the error of a wrong origin.
const SLACK = 0.05

play('a value is as old as the time since it was written', (t, { directory }) => {
  using publisher = Publisher.create('clock', bytes(8), { directory })
  using consumer = Consumer.open('clock', bytes(8), { directory })
  for (let round = 0; round < 100; round++) {
    const before = hrtimeMs()
    publisher.write(new Uint8Array(8))
    const written = hrtimeMs()
    const asked = hrtimeMs()
    const age = consumer.stalenessMs
    const answered = hrtimeMs()
    t.true(age >= asked - written - SLACK && age <= answered - before + SLACK, `${age} ms`)
  }
})

play('a value written by another process has an age on the same clock', async (t, scene) => {
  const { directory } = scene
  const code = `
    import { bytes, Publisher } from 'pagecast'
    const publisher = Publisher.create('clock', bytes(8), { directory: ${JSON.stringify(directory)} })
    const before = Number(process.hrtime.bigint()) / 1e6
    publisher.write(new Uint8Array(8))
    console.log(JSON.stringify([before, Number(process.hrtime.bigint()) / 1e6]))
    publisher.close({ keep: true })
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { timeout: 30_000 })
  const [before, after] = JSON.parse(stdout) as [number, number]
  using consumer = Consumer.open('clock', bytes(8), { directory })
  const asked = hrtimeMs()
  const age = consumer.stalenessMs
  const answered = hrtimeMs()
  t.true(age >= asked - after - SLACK && age <= answered - before + SLACK, `${age} ms, written ${asked - after} ms ago`)
  scene.remove('clock')
})

play('a program that stops its clock stops no wait', (t, { directory }) => {
  using publisher = Publisher.create('clock', bytes(8), { directory, buffers: 1, init: new Uint8Array(8) })
  using consumer = Consumer.open('clock', bytes(8), { directory })
  using _ = consumer.readLock()
  const { now } = performance
  performance.now = () => 5
  try {
    t.throws(() => publisher.write(new Uint8Array(8), { timeout: 20 }), { code: 'ERR_TIMEOUT' })
    t.true(consumer.stalenessMs < 60_000)
  } finally {
    performance.now = now
  }
})

play('a program whose timers never go off stops no wait on the event loop', async (t, { directory }) => {
  using publisher = Publisher.create('clock', bytes(8), { directory, buffers: 1, init: new Uint8Array(8) })
  using consumer = Consumer.open('clock', bytes(8), { directory })
  const changes = consumer.changes({ timeout: 20 })
  await changes.next()
  const { setTimeout, setInterval, queueMicrotask } = globalThis
  const never = () => 0 as never
  Object.assign(globalThis, { setTimeout: never, setInterval: never, queueMicrotask: never })
  try {
    const late = { code: 'ERR_TIMEOUT' }
    await t.throwsAsync(changes.next(), late)
    await t.throwsAsync(Publisher.standby('clock', bytes(8), { directory, timeout: 20 }), late)
    await t.throwsAsync(Consumer.waitAndOpen('none', bytes(8), { directory, timeout: 20 }), late)
    using _ = publisher.writeLock()
    await t.throwsAsync(consumer.readLockAsync({ timeout: 20 }), late)
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval, queueMicrotask })
  }
})
