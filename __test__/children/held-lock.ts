// Holds a lock across a turn of the event loop, which PAGECAST_DEBUG=1 is to notice.
import { setImmediate as turn } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { say } from './stage.js'

const [directory = ''] = process.argv.slice(2)
process.on('warning', ({ name, message, stack }) => say('warning', { name, message, stack }))

using publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
using consumer = Consumer.open('pose', Pose, { directory })
consumer.readLock().release()
publisher.withWrite(() => {})
{
  using _ = consumer.readLock()
  await turn() // no time, which may be over before there is a turn
}
say('done')
