// A publisher with a child process that goes on when it is killed.
import { spawn } from 'node:child_process'
import { Publisher } from 'pagecast'
import { Pose, pose } from '../helpers/pose.js'
import { cue, say } from './stage.js'

const [directory = ''] = process.argv.slice(2)
const publisher = Publisher.create('pose', Pose, { directory, init: pose(1) })
say('ready')
const { pid } = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true })
say('grandchild', { pid })
await cue()
publisher.close()
