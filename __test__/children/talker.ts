// Serves at DIRECTORY/broker as a broker does, but talks of other things once it was asked anything, for as long as it is heard.
//
//   talker.js DIRECTORY
import { join } from 'node:path'
import { DescriptorChannel } from 'pagecast'
import { say } from './stage.js'

const [directory = ''] = process.argv.slice(2)
// longer to be read than to be said
const nothing = Buffer.from(`{"id":999,"x":[${'[],'.repeat(10_000)}0]}`)

using listener = DescriptorChannel.listen(join(directory, 'broker'))
say('serving')
using channel = await listener.accept()
await channel.send({ bytes: Buffer.from('{"broker":1,"pid":1}') })
await channel.receive()
let said = 0
try {
  for (;;) {
    await channel.send({ bytes: nothing })
    said += 1
    if (said === 100) say('talked')
  }
} catch {}
say('unheard')
