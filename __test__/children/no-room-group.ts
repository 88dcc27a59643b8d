// Told to, makes what is more than its control group may have, and what is not.
//
//   no-room-group.js DIRECTORY BYTES
import { bytes, Publisher, Region, SharedMemory } from 'pagecast'
import { cue, say, stopListening } from './stage.js'

const [directory = '', most = ''] = process.argv.slice(2)
const size = Number(most)

const attempts: Record<string, () => Disposable> = {
  publication: () => Publisher.create('big', bytes(size / 4), { directory, buffers: 4 }),
  memfd: () => Region.map({ source: 'memfd', size }),
  'shared memory': () => SharedMemory.open('big', 'x+', { directory, size }),
  little: () => Region.map({ source: 'memfd', size: 65_536 }),
}

await cue()
for (const [what, attempt] of Object.entries(attempts)) {
  try {
    attempt()[Symbol.dispose]()
    say(what, {})
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    say(what, { code, message })
  }
}
stopListening()
