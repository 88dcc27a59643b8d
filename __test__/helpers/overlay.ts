import { MessageChannel, Worker } from 'node:worker_threads'

/** An array of at least so many bytes that every version of Node can keep where it is: of a power of two. */
export function arrayFor(byteLength: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(2 ** Math.ceil(Math.log2(byteLength)))
}

interface Transferable {
  transfer?: (byteLength?: number) => ArrayBuffer
  transferToFixedLength?: (byteLength?: number) => ArrayBuffer
}

/** Reads bytes of a stream into a buffer, which the stream takes for that. */
async function readInto(buffer: ArrayBuffer): Promise<void> {
  const stream = new ReadableStream({
    type: 'bytes',
    pull: controller => {
      const { byobRequest } = controller as ReadableByteStreamController
      byobRequest?.respond(1)
    },
  })
  await stream.getReader({ mode: 'byob' }).read(new Uint8Array(buffer))
}

function post(buffer: ArrayBuffer): void {
  const { port1, port2 } = new MessageChannel()
  try {
    port1.postMessage(buffer, [buffer])
  } finally {
    port1.close()
    port2.close()
  }
}

/** Whatever takes a buffer's memory away from it. Some of them are not in all versions. */
export const transfers: Record<string, (buffer: ArrayBuffer) => unknown> = {
  transfer: buffer => (buffer as Transferable).transfer?.(),
  'transfer to another length': buffer => (buffer as Transferable).transfer?.(buffer.byteLength * 2),
  'transfer of nothing': buffer => (buffer as Transferable).transfer?.(0),
  'transfer to a fixed length': buffer => (buffer as Transferable).transferToFixedLength?.(),
  structuredClone: buffer => structuredClone(buffer, { transfer: [buffer] }),
  postMessage: post,
  'the data of a worker': buffer => new Worker('', { eval: true, workerData: buffer, transferList: [buffer] }).terminate(),
  'a stream of bytes': readInto,
}

/** Those of them that did it. */
export async function detaching(bufferFor: () => ArrayBuffer): Promise<string[]> {
  const done: string[] = []
  for (const [name, transfer] of Object.entries(transfers)) {
    const buffer = bufferFor()
    const { byteLength } = buffer
    try {
      await transfer(buffer)
    } catch {
      // refused, which is as good as left as it was
    }
    if (buffer.byteLength !== byteLength) done.push(name)
  }
  return done
}
