// Eight mixed fields, as an object and in place.
import { bool, f32, f64, i32, struct, text, u16, u32, u64 } from '../index.js'
import { compared, plainCopy, scene } from './scene.mjs'

const numbers = { id: u32, turn: i32, flags: u16, valid: bool, ratio: f32, x: f64, y: f64, time: u64({ as: 'number' }) }
const Numbers = struct(numbers)
const Words = struct({ ...numbers, flags: text(16) })
const value = { id: 1, turn: -2, flags: 3, valid: true, ratio: 0.5, x: 1.25, y: 2.5, time: 2 ** 40 }
const inWords = { ...value, flags: 'forward' }

function kase(type, init, buffers, make) {
  const { publisher, consumers, close } = scene(type, { init, buffers, consumers: 4 })
  const facts = { bytes: type.byteLength, buffers, consumers: 4, ...(type === Words && { text: true }) }
  return { facts, operation: make(consumers[0], publisher, init), plain: plainCopy(type.byteLength, 1, 1), close }
}

const readField = consumer => () => {
  const lock = consumer.readLock()
  const { x } = lock.value
  lock.release()
  return x
}

const readAll = consumer => () => {
  const { id, x, time } = consumer.read()
  return id + x + time
}

const writeAll = (_, publisher, init) => count => {
  init.turn = count
  publisher.write(init)
  return count
}

const numberCases = (bench, make) => [1, 4].map(buffers => compared(bench, () => kase(Numbers, { ...value }, buffers, make)))
const textCase = (bench, make) => compared(bench, () => kase(Words, { ...inWords }, 4, make))

export const readLock = numberCases('readLock', readField)
export const readStruct = [...numberCases('readStruct', readAll), textCase('readStruct', readAll)]
export const writeStruct = [...numberCases('writeStruct', writeAll), textCase('writeStruct', writeAll)]
