// From a write to the loop body of a consumer in another process that awaits it.
import { setTimeout as pause } from 'node:timers/promises'
import { spread } from './measure.mjs'
import { play } from './play.mjs'
import { microseconds } from './roles.mjs'
import { bytesScene } from './scene.mjs'

const BYTES = 64
const WAKES = 2000

export const wake = [wakeCase]

async function wakeCase({ share }) {
  const count = Math.round(WAKES * share)
  const { name, publisher, close } = bytesScene(BYTES, { buffers: 4, consumers: 1 })
  const { ready, answer, end } = play('await', { name, byteLength: BYTES, count })
  await ready
  let isOver = false
  answer.finally(() => {
    isOver = true
  })
  const value = new Uint8Array(BYTES)
  const view = new DataView(value.buffer)
  while (!isOver) {
    await pause(1 + 2 * Math.random()) // never in step with anybody's timer
    view.setFloat64(0, microseconds(), true)
    publisher.write(value)
  }
  const ages = await answer
  end()
  close()
  return { bench: 'wake', bytes: BYTES, buffers: 4, consumers: 1, ...spread(ages) }
}
