// From the call of `Consumer.open` to a consumer that can read.
import { bytes, Consumer } from '../index.js'
import { spread } from './measure.mjs'
import { bytesScene } from './scene.mjs'

const ATTACHES = 600

export const attach = [64, 1_048_576].map(byteLength => ({ share }) => {
  const { name, close } = bytesScene(byteLength, { buffers: 4, consumers: 1 })
  const type = bytes(byteLength)
  const times = []
  for (let turn = 0; turn < ATTACHES * share; turn++) times.push(attachOnce(name, type))
  close()
  return { bench: 'attach', bytes: byteLength, buffers: 4, consumers: 1, ...spread(times) }
})

function attachOnce(name, type) {
  const start = performance.now()
  const consumer = Consumer.open(name, type)
  const elapsed = performance.now() - start
  consumer.close()
  return elapsed * 1e3
}
