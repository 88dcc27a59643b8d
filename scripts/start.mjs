// `npm start`: brings the build up to date, then becomes the main job.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { prepare } from './prepare.mjs'
import { main, root } from './run.mjs'

const { values } = parseArgs({ options: { publisher: { type: 'string' } }, strict: false })
const rust = values.publisher === 'rust' ? ['rust'] : []
const job = join(root, '.build/examples/telemetry/main.js')

await main(() => prepare(['native', 'lib', 'examples', ...rust]))

if (!process.exitCode) {
  // In this very process: signals reach the job itself, its exit code is ours, and no orphan can stay.
  process.argv[1] = job
  await import(pathToFileURL(job).href)
}
