import { writeSync } from 'node:fs'
import { hasCode } from './has-code.js'

/** The pipe on which a child talks to its parent: standard output may be the terminal. */
const PARENT = 3

/**
 * The life of a child process: it says that it is ready, and that it has `begun`, works until `stop`, and reports. The parent says stop by closing
 * this process's standard input; when the parent dies, the kernel does.
 */
export async function runChild(work: (stop: AbortSignal, begun: () => void) => Promise<object>): Promise<void> {
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  process.stdin.on('end', stop).on('error', stop).resume()
  tell({ ready: true })
  try {
    tell(await work(controller.signal, () => tell({ begun: true })))
  } catch (error) {
    if (!hasCode(error, 'ERR_ABORTED')) throw error // it was stopped before it had begun
  }
  process.stdin.destroy()
}

function tell(message: object): void {
  try {
    writeSync(PARENT, `${JSON.stringify(message)}\n`)
  } catch {
    // A parent that died does not listen.
  }
}
