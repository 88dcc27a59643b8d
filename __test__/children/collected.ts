// Forgets publishers and consumers without disposing of them: collecting them has to let go of their locks.
import { setImmediate as turn } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { codeOf, say } from './stage.js'

const [directory = ''] = process.argv.slice(2)
const gc = globalThis.gc as () => void

async function collectedUntil<T>(refusal: string, attempt: () => T): Promise<T> {
  for (;;) {
    gc()
    await turn()
    let result: T | undefined
    const code = codeOf(() => {
      result = attempt()
    })
    if (code === undefined) return result as T
    if (code !== refusal) throw new Error(`expected ${refusal}, found ${code}`)
  }
}

// Functions of their own, so that nothing is left on the stack.
const forgetPublisher = () => void Publisher.create('pose', Pose, { directory, init: pose(1), maxConsumers: 1 })
const openConsumer = () => Consumer.open('pose', Pose, { directory })
const forgetConsumer = () => void openConsumer().read()
const forgetLock = () => void openConsumer().readLock().version
const forgetChanges = async () => void (await openConsumer().changes().next())

forgetPublisher()
const publisher = await collectedUntil('ERR_PUBLISHER_EXISTS', () => Publisher.create('pose', Pose, { directory }))
say('adopted', { adopted: publisher.adopted, value: publisher.withWrite(({ field1 }) => field1) })

for (const forget of [forgetConsumer, forgetLock, forgetChanges]) {
  await forget()
  const consumer = await collectedUntil('ERR_TOO_MANY_CONSUMERS', openConsumer)
  say('reused', { field1: consumer.read().field1 })
  consumer.close()
}
publisher.close()
