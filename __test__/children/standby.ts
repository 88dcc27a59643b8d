// Stands by for a publication, and publishes as soon as it can.
//
//   standby.js DIRECTORY NUMBER [OPTIONS]
//
// NUMBER is what it publishes, OPTIONS are those of `Publisher.standby` as JSON.
import { Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { cue, say, stopListening } from './stage.js'

const [directory = '', number = '', options = '{}'] = process.argv.slice(2)

const pending = Publisher.standby('pose', Pose, { ...JSON.parse(options), directory })
say('waiting')
const publisher = await pending
publisher.write(pose(Number(number)))
say('publisher', { adopted: publisher.adopted, totalWrites: publisher.totalWrites })
if ((await cue()) === 'close') publisher.close()
stopListening()
