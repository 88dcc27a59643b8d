// Attaches a SysV segment, and does with it what its test says.
//
//   sysv-peer.js DIRECTORY ID
import { setImmediate as turn } from 'node:timers/promises'
import { PAGE_SIZE, SysVSharedMemory } from 'pagecast'
import { codeOf, cue, say, stopListening } from './stage.js'

const [, id = ''] = process.argv.slice(2)
const memory = SysVSharedMemory.byId(Number(id))
const region = memory.attach()

/** Functions of their own, so that nothing is left on the stack. */
const forget = () => void memory.attach().bytes[0]

const words: Record<string, (numbers: number[]) => void | Promise<void>> = {
  peek: ([at = 0]) => say('peeked', { value: region.bytes[at] }),
  poke: ([at = 0, value = 0]) => {
    region.bytes[at] = value
    say('poked')
  },
  count: ([times = 0]) => {
    const numbers = region.view(Int32Array)
    for (let time = 0; time < times; time++) Atomics.add(numbers, 1, 1)
    say('counted')
  },
  forget: async ([times = 0]) => {
    for (let time = 0; time < times; time++) forget()
    say('forgotten')
    while (memory.stat().attaches > 1) {
      globalThis.gc?.()
      await turn()
    }
    say('collected')
  },
  spoil: () => {
    const reader = memory.attach({ access: 'r', size: PAGE_SIZE })
    region.close()
    const was = reader.bytes[0]
    reader.bytes[0] = 99
    say('spoilt', { codes: [1, 2, 3].map(() => codeOf(() => reader.tell())), was })
    reader.close()
  },
}

say('attached', { byteLength: region.byteLength, key: memory.key })
for (let line = await cue(); line !== undefined; line = await cue()) {
  const [word = '', ...numbers] = line.split(' ')
  await words[word]?.(numbers.map(Number))
}
stopListening()
