// Takes part in a publication that has no name, by descriptor 3, or by one that it gets over a socket.
//
//   nameless.js consumer      says each value that comes, and at the end why there are no more
//   nameless.js publisher N   becomes its publisher as soon as nobody is, and publishes N; ends when told
//   nameless.js holder        holds a read lock until it is killed
//   nameless.js channel PATH  says the values that come of what it is sent over a channel
//   nameless.js broker PATH   says the values that come of what a broker calls `pose`
import { Broker, Consumer, DescriptorChannel, Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { cue, say, stopListening } from './stage.js'

const [role, argument = '0'] = process.argv.slice(2)
const location = { fd: 3 }

async function follow(fd: number): Promise<void> {
  using consumer = Consumer.open({ fd }, Pose)
  for await (const { value, epoch } of consumer.changes({ withMeta: true })) say('value', { field1: value.field1, name: value.name, epoch })
  say('over')
}

if (role === 'consumer') {
  await follow(3)
} else if (role === 'channel') {
  using channel = await DescriptorChannel.connect(argument, { wait: true })
  using message = await channel.receive()
  await follow(message?.descriptors[0]?.fd ?? -1)
} else if (role === 'broker') {
  using client = await Broker.connect(argument, { wait: true })
  using region = await client.get('pose', { wait: true, access: 'r' })
  await follow(region.fd)
} else if (role === 'publisher') {
  const publisher = await Publisher.standby(location, Pose)
  publisher.write(pose(Number(argument)))
  say('published', { adopted: publisher.adopted, totalWrites: publisher.totalWrites })
  if ((await cue()) === 'close') publisher.close()
} else {
  const consumer = Consumer.open(location, Pose)
  using lock = consumer.readLock()
  say('holds', { field1: lock.value.field1 })
  await cue()
}
stopListening()
