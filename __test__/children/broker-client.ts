// A client of the broker at DIRECTORY/broker, which does what its test says and keeps all regions that it gets.
//
//   broker-client.js DIRECTORY [OPTIONS as JSON] [UID]
import { join } from 'node:path'
import { Broker, type BrokerConnectOptions, type PagecastError, type Region } from 'pagecast'
import { cue, say, stopListening } from './stage.js'

const [directory = '', options = '{}', uid] = process.argv.slice(2)
if (uid !== undefined) process.setuid?.(Number(uid))

async function attempt(event: string, action: () => Promise<object>): Promise<void> {
  try {
    say(event, await action())
  } catch (error) {
    const { code, message } = error as PagecastError
    say('refused', { code, message })
  }
}

const regions: Region[] = []

await attempt('connected', async () => {
  const client = await Broker.connect(join(directory, 'broker'), JSON.parse(options) as BrokerConnectOptions)
  const words: Record<string, (name: string, argument: string) => Promise<object>> = {
    allocate: async (name, argument) => {
      const region = await client.allocate(name, { size: 65_536, keep: argument === 'keep' })
      regions.push(region)
      region.bytes[0] = 7
      return {}
    },
    get: async (name, argument) => {
      const region = await client.get(name, { wait: argument === 'wait', timeout: 60_000 })
      regions.push(region)
      return { byte: region.bytes[0], seals: region.seals }
    },
    free: async name => {
      await client.free(name)
      return {}
    },
    list: async () => ({ names: (await client.list()).map(entry => entry.name) }),
    peek: async () => ({ byte: regions[0]?.bytes[0] }),
    add: async () => ({ byte: Atomics.add(regions[0]?.view(Int32Array) as Int32Array, 0, 1) }),
  }
  void (async () => {
    for (let line = await cue(); line !== undefined; line = await cue()) {
      const [word = '', name = '', argument = ''] = line.split(' ')
      await attempt(word, async () => (await words[word]?.(name, argument)) ?? {})
    }
    stopListening()
  })()
  return {}
})
