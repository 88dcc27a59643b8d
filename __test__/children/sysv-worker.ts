// A worker that attaches a SysV segment by itself, beside the buffer of it that it was given, and stays.
import { parentPort, workerData } from 'node:worker_threads'
import { SysVSharedMemory } from 'pagecast'

const { id, sharedBuffer } = workerData as { id: number; sharedBuffer: SharedArrayBuffer }
const region = SysVSharedMemory.byId(id).attach()
const [own, given] = [region.view(Int32Array), new Int32Array(sharedBuffer)]
Atomics.add(given, 0, 1)
parentPort?.postMessage({ event: 'added', values: [Atomics.load(own, 0), Atomics.load(given, 0)] })
parentPort?.on('message', () => region.close())
