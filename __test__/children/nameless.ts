// Takes part in a publication that has no name, by descriptor 3.
//
//   nameless.js consumer      says each value that comes, and at the end why there are no more
//   nameless.js publisher N   becomes its publisher as soon as nobody is, and publishes N; ends when told
//   nameless.js holder        holds a read lock until it is killed
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { cue, say, stopListening } from './stage.js'

const [role, number = '0'] = process.argv.slice(2)
const location = { fd: 3 }

if (role === 'consumer') {
  using consumer = Consumer.open(location, Pose)
  for await (const { value, epoch } of consumer.changes({ withMeta: true })) say('value', { field1: value.field1, name: value.name, epoch })
  say('over')
} else if (role === 'publisher') {
  const publisher = await Publisher.standby(location, Pose)
  publisher.write(pose(Number(number)))
  say('published', { adopted: publisher.adopted, totalWrites: publisher.totalWrites })
  if ((await cue()) === 'close') publisher.close()
} else {
  const consumer = Consumer.open(location, Pose)
  using lock = consumer.readLock()
  say('holds', { field1: lock.value.field1 })
  await cue()
}
stopListening()
