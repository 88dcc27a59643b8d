// Bytes in and out.
import { bytesScene, compared, plainCopy, SIZES } from './scene.mjs'

export const readInto = [1, 4].flatMap(buffers => SIZES.map(byteLength => compared('readInto', () => readCase(byteLength, buffers))))

function readCase(byteLength, buffers) {
  const { consumers, close } = bytesScene(byteLength, { buffers, consumers: 1 })
  const [consumer] = consumers
  const target = new Uint8Array(byteLength)
  const operation = () => {
    consumer.readInto(target)
    return target[0] + target[byteLength - 1]
  }
  return { facts: { bytes: byteLength, buffers, consumers: 1 }, operation, plain: plainCopy(byteLength, 1, 1), close }
}

const shapes = [
  ...SIZES.map(byteLength => [byteLength, 4, 4]),
  ...[1, 16, 64].map(consumers => [64, 4, consumers]),
  ...SIZES.map(byteLength => [byteLength, 1, 4]),
]

export const write = shapes.map(shape => compared('write', () => writeCase(...shape)))

function writeCase(byteLength, buffers, consumers) {
  const { publisher, close } = bytesScene(byteLength, { buffers, consumers })
  const value = new Uint8Array(byteLength).fill(7)
  const operation = count => {
    value[0] = count
    publisher.write(value)
    return value[0]
  }
  return { facts: { bytes: byteLength, buffers, consumers }, operation, plain: plainCopy(byteLength, 1, buffers), close }
}
