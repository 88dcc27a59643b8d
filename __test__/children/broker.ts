// Serves at DIRECTORY/broker until it is told to end, in the way it is told.
//
//   broker.js DIRECTORY [OPTIONS as JSON]
import { join } from 'node:path'
import { Broker, type BrokerOptions, type PagecastError } from 'pagecast'
import { cue, say, stopListening } from './stage.js'

const [directory = '', options = '{}'] = process.argv.slice(2)

try {
  const broker = Broker.listen(join(directory, 'broker'), JSON.parse(options) as BrokerOptions)
  say('serving', { path: broker.path })
  for (let word = await cue(); word !== undefined; word = await cue()) {
    if (word === 'close') broker.close()
    if (word === 'unref') broker.unref()
    if (word === 'exit') process.exit(3)
    if (word === 'throw') throw new Error('as it was told')
    if (word === 'rest') break
    say('done')
  }
  stopListening()
} catch (error) {
  const { code, message } = error as PagecastError
  if (code === undefined) throw error
  say('refused', { code, message })
}
