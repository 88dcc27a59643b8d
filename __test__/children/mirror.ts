// Sends back what it gets: a struct with every kind of field, and bytes.
import { bytes, Consumer, Publisher } from 'pagecast'
import { Everything } from '../helpers/everything.js'
import { say } from './stage.js'

const [directory = ''] = process.argv.slice(2)

using values = await Consumer.waitAndOpen('values', Everything, { directory })
using mirrored = Publisher.create('mirrored-values', Everything, { directory })
using blobs = await Consumer.waitAndOpen('blobs', bytes(100_000), { directory })
using mirroredBlobs = Publisher.create('mirrored-blobs', bytes(100_000), { directory })
say('ready')

const mirror = async <T>(changes: AsyncIterable<T>, publish: (value: T) => void) => {
  for await (const value of changes) publish(value)
}
await Promise.all([mirror(values.changes(), value => mirrored.write(value)), mirror(blobs.changes(), value => mirroredBlobs.write(value))])
