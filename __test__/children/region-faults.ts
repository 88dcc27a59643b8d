// A worker that plays one of the faults, and says what came of it.
import { parentPort, workerData } from 'node:worker_threads'
import { tidy } from '../helpers/region.js'
import { faults } from '../helpers/region-faults.js'

const { directory, what } = workerData as { directory: string; what: string }
const facts = faults[what]?.(directory)
tidy()
parentPort?.postMessage({ event: 'facts', facts })
