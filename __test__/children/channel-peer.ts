// One end of a channel: inherited as descriptor 3, or connected to a path, or listening there.
//
//   channel-peer.js DIRECTORY inherit|connect|listen
import { join } from 'node:path'
import { DescriptorChannel, Region } from 'pagecast'
import { say } from './stage.js'

const [directory = '', role = ''] = process.argv.slice(2)
const path = join(directory, 'socket')

/** Adds one to what it receives, and says so. */
async function answer(channel: DescriptorChannel): Promise<void> {
  for (;;) {
    using message = await channel.receive()
    if (message === undefined) break
    for (const descriptor of message.descriptors) {
      using region = descriptor.map()
      Atomics.add(region.view(Int32Array), 0, 1)
    }
    await channel.send({ bytes: Buffer.from(`${Buffer.from(message.bytes)} and back`) })
  }
  say('ended', { peer: channel.peer })
}

const roles: Record<string, () => Promise<void>> = {
  inherit: async () => {
    using channel = DescriptorChannel.from(3)
    await answer(channel)
  },
  connect: async () => {
    using channel = await DescriptorChannel.connect(path, { wait: true, timeout: 60_000 })
    await answer(channel)
  },
  listen: async () => {
    using listener = DescriptorChannel.listen(path)
    say('listening')
    using channel = await listener.accept()
    using region = Region.map({ size: 65_536 })
    region.view(Int32Array)[0] = 41
    await channel.send({ bytes: Buffer.from('there'), descriptors: [region] })
    using message = await channel.receive()
    say('answered', { bytes: String(Buffer.from(message?.bytes ?? [])), value: region.view(Int32Array)[0], peer: channel.peer })
  },
}
await roles[role]?.()
