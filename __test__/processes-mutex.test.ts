import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { Mutex, Region } from 'pagecast'
import type { Message } from './helpers/child.js'
import { sparseFile } from './helpers/region.js'
import { mutexes } from './helpers/region-scene.js'
import type { Scene } from './helpers/scene.js'
import { Cast } from './helpers/workers.js'

const timeout = 50_000
const { PAGECAST_TESTING_EXAMPLES: examples = fileURLToPath(new URL('../testing/', import.meta.url)) } = process.env

/** One that counts to 10,000 when it is told. */
interface Counter {
  says(event: string): Promise<Message>
  tell(word: string): void
}

type Kind = (scene: Scene, args: readonly string[]) => Counter

const node: Kind = (scene, args) => scene.child('counter', args)
const rust: Kind = (scene, args) => scene.program(join(examples, 'counter'), args)
const worker: Kind = (_, args) => new Cast('counter', args)

/** Rounds, until one is as wanted, of two that count to 20,000 together: the sum, and how often one found the mutex locked. */
async function* rounds(scene: Scene, kinds: readonly [Kind, Kind], how: readonly string[] = []) {
  const file = sparseFile(scene.directory, 65_536)
  using region = Region.map({ source: { file } })
  const counter = region.view(Uint32Array, 64, 1)
  const counters = kinds.map((kind, seat) => kind(scene, [file, String(seat), ...how]))
  try {
    for (const each of counters) await each.says('ready')
    for (let round = 1; round < 256; round++) {
      scene.doing(`round ${round}`)
      counter[0] = 0
      for (const each of counters) each.tell('go')
      let contended = 0
      for (const each of counters) contended += Number((await each.says('counted')).contended)
      yield { sum: counter[0], contended }
    }
  } finally {
    for (const each of counters) if (each instanceof Cast) await each.terminate()
  }
}

const pairs: Record<string, readonly [Kind, Kind]> = {
  'two processes': [node, node],
  'a process in Rust and one in Node': [rust, node],
  'a worker and a process': [worker, node],
  'two workers': [worker, worker],
}

for (const [title, kinds] of Object.entries(pairs)) {
  mutexes(`${title} count to 20,000`, async (t, scene) => {
    for await (const { sum, contended } of rounds(scene, kinds)) {
      t.is(sum, 20_000)
      t.log(`${contended} times locked already`)
      if (contended > 0) return
    }
    t.fail('they never met')
  })
}

mutexes('without it two processes lose some', async (t, scene) => {
  for await (const { sum } of rounds(scene, [node, node], ['unlocked'])) {
    t.log(`counted to ${sum}`)
    if (Number(sum) < 20_000) {
      t.pass()
      return
    }
  }
  t.fail('nothing was lost, so the tests with a mutex would prove nothing')
})

/** Taken again and again: who is told that it was recovered. */
function told(mutex: Mutex): boolean[] {
  return [1, 2, 3].map(() => mutex.withLock(lock => lock.recovered, { timeout }))
}

async function inherited(t: ExecutionContext, scene: Scene, end: (file: string) => Promise<void>): Promise<void> {
  const file = sparseFile(scene.directory, 4096)
  using region = Region.map({ source: { file } })
  using mutex = Mutex.at(region, 0)
  await end(file)
  t.deepEqual(told(mutex), [true, false, false])
}

mutexes('what a killed process held is recovered once, at once', async (t, scene) => {
  await inherited(t, scene, async file => {
    const child = scene.child('mutex', [file, 'hold'])
    t.like(await child.says('held'), { recovered: false })
    using region = Region.map({ source: { file } })
    using mutex = Mutex.at(region, 0)
    t.deepEqual(mutex.holder, { pid: child.pid, slot: 1 })
    t.is(mutex.tryLock(), undefined)
    t.throws(() => mutex.lock({ timeout: 60 }), { code: 'ERR_TIMEOUT', message: new RegExp(`60 ms .* pid ${child.pid} in slot 1$`) })
    child.kill('SIGKILL')
    await child.exit
  })
})

mutexes('whoever waits hears of the death, blocking or on the event loop', async (t, scene) => {
  for (const wait of ['lock', 'lockAsync'] as const) {
    await inherited(t, scene, async file => {
      const child = scene.child('mutex', [file, 'hold'])
      await child.says('held')
      using region = Region.map({ source: { file } })
      using mutex = Mutex.at(region, 0)
      const killed = wait === 'lock' ? child : undefined
      killed?.kill('SIGKILL')
      const pending = mutex[wait]({ timeout })
      if (killed === undefined) {
        await delay(20)
        child.kill('SIGKILL')
      }
      const lock = await pending
      t.true(lock.recovered)
      mutex.close() // which leaves it to the next one
    })
  }
})

mutexes('an end of every other kind leaves it to the next one', async (t, scene) => {
  await inherited(t, scene, async file => {
    scene.doing('exiting')
    await scene.child('mutex', [file, 'exit']).succeeds()
  })
  await inherited(t, scene, async file => {
    scene.doing('terminating a worker')
    const worker = new Cast('mutex', [scene.directory, file, 'hold'])
    await worker.says('held')
    await worker.terminate()
  })
  const file = sparseFile(scene.directory, 4096)
  const child = scene.child('mutex', [file, 'forget'], { nodeArguments: ['--expose-gc'] })
  scene.doing('collecting')
  t.like(await child.says('collected'), { recovered: true })
  await child.succeeds()
})

mutexes('killed at random, whoever holds it: nobody sees half a change who was not told', async (t, scene) => {
  const file = sparseFile(scene.directory, 4096)
  using region = Region.map({ source: { file } })
  using mutex = Mutex.at(region, 0)
  const pair = region.view(Uint32Array, 64, 2)
  const witness = scene.child('mutex', [file, 'flat out'])
  await witness.says('ready')
  let recoveries = 0
  for (let round = 0; round < 25; round++) {
    scene.doing(`round ${round}`)
    const victim = scene.child('mutex', [file, 'flat out'])
    await victim.says('ready')
    await delay((round * 7) % 11)
    victim.kill('SIGKILL')
    await victim.exit
    using lock = mutex.lock({ timeout })
    if (lock.recovered) recoveries += 1
    else t.is(pair[0], pair[1])
    pair[1] = pair[0] as number
  }
  t.log(`${recoveries} told here, of ${pair[0]} changes`)
  witness.kill('SIGTERM')
  const rest: Message[] = []
  for await (const line of lines(witness)) rest.push(line)
  t.deepEqual(rest, [], 'the witness saw no half of a change')
})

async function* lines(child: { report(): Promise<Message> }): AsyncGenerator<Message> {
  for (;;) {
    const message = await child.report().catch(() => undefined)
    if (message === undefined) return
    yield message
  }
}
