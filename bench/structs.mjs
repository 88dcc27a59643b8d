// Eight mixed fields, as an object and in place.
import { bool, f32, f64, i32, struct, text, u16, u32, u64 } from '../index.js'
import { plainCopy, rows, scene } from './scene.mjs'

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

export function readLock(options) {
  const make = consumer => () => {
    const lock = consumer.readLock()
    const { x } = lock.value
    lock.release()
    return x
  }
  return rows(
    'readLock',
    [1, 4].map(buffers => kase(Numbers, value, buffers, make)),
    options,
  )
}

export function readStruct(options) {
  const make = consumer => () => {
    const { id, x, time } = consumer.read()
    return id + x + time
  }
  return rows('readStruct', both(make), options)
}

export function writeStruct(options) {
  const make = (_, publisher, init) => count => {
    init.turn = count
    publisher.write(init)
    return count
  }
  return rows('writeStruct', both(make), options)
}

function both(make) {
  return [...[1, 4].map(buffers => kase(Numbers, { ...value }, buffers, make)), kase(Words, { ...inWords }, 4, make)]
}
