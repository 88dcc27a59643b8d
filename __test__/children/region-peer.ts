// Maps an object of shared memory, and does with it what its test says.
//
//   region-peer.js DIRECTORY NAME
import { SharedMemory } from 'pagecast'
import { cue, say, stopListening } from './stage.js'

const [directory = '', name = ''] = process.argv.slice(2)
const memory = SharedMemory.open(name, 'r+', { directory })
const region = memory.map()

const words: Record<string, (numbers: number[]) => void> = {
  peek: ([at = 0]) => say('peeked', { value: region.bytes[at] }),
  poke: ([at = 0, value = 0]) => {
    region.bytes[at] = value
    say('poked')
  },
  cut: ([byteLength = 0]) => {
    memory.truncate(byteLength)
    say('cut')
  },
  count: ([times = 0]) => {
    const numbers = region.view(Int32Array)
    for (let time = 0; time < times; time++) Atomics.add(numbers, 1, 1)
    say('counted')
  },
  unlink: () => {
    memory.unlink()
    say('unlinked')
  },
}

say('mapped', { byteLength: region.byteLength })
for (let line = await cue(); line !== undefined; line = await cue()) {
  const [word = '', ...numbers] = line.split(' ')
  words[word]?.(numbers.map(Number))
}
stopListening()
