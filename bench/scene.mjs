// Publications to measure, and the rows that come of it.
import { bytes, Consumer, Publisher } from '../index.js'
import { measure, rounded } from './measure.mjs'

export const SIZES = [64, 1024, 65_536, 1_048_576]

let made = 0

/** A publisher of a name of its own, with consumers; all closed by `close`. */
export function scene(type, { init, buffers, consumers }) {
  const name = `bench-${process.pid}-${made++}`
  const publisher = Publisher.create(name, type, { init, buffers, maxConsumers: consumers + 1 })
  const attached = Array.from({ length: consumers }, () => Consumer.open(name, type))
  const close = () => {
    for (const consumer of attached) consumer.close()
    publisher.close()
  }
  return { name, publisher, consumers: attached, close }
}

export function bytesScene(byteLength, shape) {
  return scene(bytes(byteLength), { init: new Uint8Array(byteLength).fill(7), ...shape })
}

/** Copies between arrays of one's own: `sources` to `targets`, in turn, so that as much memory is touched as by what it is compared to. */
export function plainCopy(byteLength, sources, targets) {
  const arrays = count => Array.from({ length: count }, () => new Uint8Array(byteLength).fill(7))
  const [from, to] = [arrays(sources), arrays(targets)]
  let source = 0
  let target = 0
  return () => {
    source = source + 1 < sources ? source + 1 : 0
    target = target + 1 < targets ? target + 1 : 0
    const array = to[target]
    array.set(from[source])
    return array[0] + array[byteLength - 1]
  }
}

/** A case of a bench: `make` gives its row's facts, the operation, the plain copy of as many bytes, and what ends it. */
export function compared(bench, make) {
  return options => {
    const { facts, operation, plain, close } = make()
    const [own, copy] = measure([operation, plain], options)
    close()
    return { bench, ...facts, ns: rounded(own.median), plainCopyNs: rounded(copy.median), leastNs: rounded(own.least) }
  }
}
