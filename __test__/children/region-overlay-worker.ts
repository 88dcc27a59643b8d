// A worker that ends while it has arrays over which a file is mapped.
import { parentPort, workerData } from 'node:worker_threads'
import { type Overlay, PAGE_SIZE, Region } from 'pagecast'
import { arrayFor } from '../helpers/overlay.js'

const { file, end, arrays } = workerData as { file: string; end: string; arrays: number }

const overlay = (byteLength: number) => Region.overlay(arrayFor(byteLength), { source: { file }, size: PAGE_SIZE })
// the arrays of all others are known to nobody but their overlays, and those to nobody
const kept: Overlay[] = Array.from({ length: arrays }, (_, index) => overlay((2 * PAGE_SIZE) << (index % 6)))
for (let index = 0; index < arrays; index++) overlay((2 * PAGE_SIZE) << (index % 6))

parentPort?.once('message', () => {
  if (end === 'exit') process.exit()
  if (end === 'throw') throw new Error('the end')
})
parentPort?.postMessage({ event: 'overlaid', first: kept[arrays - 1]?.bytes[0] })
