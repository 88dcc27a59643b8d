// Has an array of its own, over which it maps an object of shared memory, and does with it what its test says.
//
//   region-overlay-peer.js DIRECTORY NAME ELEMENTS
import { PAGE_SIZE, Region } from 'pagecast'
import { arrayFor } from '../helpers/overlay.js'
import { cue, say, stopListening } from './stage.js'

const [directory = '', name = '', elements = ''] = process.argv.slice(2)
const batch = new Float32Array(arrayFor(Number(elements) * 4 + PAGE_SIZE).buffer).fill(-1)
const overlay = Region.overlay(batch, { source: { shm: name, directory }, size: Number(elements) * 4 })
const first = overlay.byteOffset / 4

const words: Record<string, (numbers: number[]) => void> = {
  fill: ([from = 0]) => {
    for (let index = 0; index < Number(elements); index++) batch[first + index] = from + index / 2
    say('filled')
  },
  sum: () => say('sum', { sum: overlay.view(Float32Array).reduce((sum, number) => sum + number, 0), before: batch[first - 1] ?? -1 }),
  close: () => {
    overlay.close()
    say('closed', { first: batch[first], last: batch[first + Number(elements) - 1] })
  },
}

say('mapped', { byteOffset: overlay.byteOffset, byteLength: overlay.byteLength })
for (let line = await cue(); line !== undefined; line = await cue()) {
  const [word = '', ...numbers] = line.split(' ')
  words[word]?.(numbers.map(Number))
}
stopListening()
