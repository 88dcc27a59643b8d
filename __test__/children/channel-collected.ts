// Forgets messages, channels and clients of a broker without closing them: collecting them has to close their descriptors.
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Broker, DescriptorChannel, Region } from 'pagecast'
import { descriptors } from '../helpers/descriptors.js'
import { say } from './stage.js'

const [directory = ''] = process.argv.slice(2)
const gc = globalThis.gc as () => void
const MANY = 20

async function collected(what: string, forget: () => Promise<void>): Promise<void> {
  await forget() // what is needed once
  const before = descriptors()
  for (let count = 0; count < MANY; count++) await forget()
  const most = descriptors()
  while (descriptors() > before) {
    gc()
    await turn()
  }
  say('collected', { what, were: most > before })
}

using region = Region.map({ size: 65_536 })
const broker = Broker.listen(join(directory, 'broker'))

function pair(): [DescriptorChannel, DescriptorChannel] {
  const [here, end] = DescriptorChannel.pair()
  using there = end
  return [here, DescriptorChannel.from(there.fd)]
}
const [here, there] = pair()

await collected('a message', async () => {
  await here.send({ descriptors: [region] })
  await there.receive()
})
await collected('channels that waited', async () => {
  for (const channel of pair()) await channel.receive({ timeout: 1 }).catch(() => {})
})
await collected('a client', async () => {
  const client = await Broker.connect(broker.path)
  await client.get('none', { wait: true, timeout: 1 }).catch(() => {})
})
gc()
say('serving', { entries: (await (await Broker.connect(broker.path)).list()).length })
