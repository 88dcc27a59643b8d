// Does one thing with a consumer and nothing else: either that keeps the process alive or it does not.
//
//   keep-alive.js DIRECTORY THING
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { say } from './stage.js'

const [directory = '', thing = ''] = process.argv.slice(2)
const open = () => Consumer.open('pose', Pose, { directory })

async function changes(ref?: boolean): Promise<void> {
  for await (const { field1 } of open().changes(ref === undefined ? {} : { ref })) {
    say('value', { field1 })
    if (field1 === 2) return
  }
}

const things: Record<string, () => Promise<void>> = {
  'an awaited change': () => changes(),
  'an awaited first value': async () => {
    const { value } = await open().changes().next()
    say('value', { field1: value.field1 })
  },
  'an awaited lock': async () => {
    const lock = await open().readLockAsync({ timeout: 60_000 })
    say('value', { field1: lock.value.field1 })
  },
  'an awaited publication': async () => {
    const consumer = await Consumer.waitAndOpen('late', Pose, { directory })
    say('value', { field1: consumer.read().field1 })
  },
  'a change awaited with ref: false': () => changes(false),
  'an idle consumer': async () => {
    say('value', { field1: open().read().field1 })
  },
  'a consumer that has iterated': async () => {
    for await (const { field1 } of open().changes()) {
      say('value', { field1 })
      break
    }
  },
  'an iteration that nobody awaits': async () => {
    const iteration = open().changes()
    const { value } = await iteration.next()
    say('value', { field1: value.field1 })
  },
  'an idle publisher': async () => {
    const publisher = Publisher.create('idle', Pose, { directory, init: pose(1) })
    say('value', { field1: publisher.withWrite(value => value.field1) })
  },
}

say('ready')
void things[thing]?.()
