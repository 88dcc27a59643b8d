import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

const program = fileURLToPath(new URL('peer.js', import.meta.url))
/** An emulator hides that it is one: what it runs cannot start itself again by its path. */
const runtime = process.env.PAGECAST_MATRIX_RUNTIME ?? process.execPath

export interface Said {
  readonly event: string
  readonly [fact: string]: unknown
}

/** Another process or a worker. */
export interface Peer {
  /** Resolves to the next message of this kind. */
  says(event: string): Promise<Said>
  /** Ends it, however it goes about it. */
  kill(): Promise<unknown>
}

abstract class Heard {
  readonly #heard: Said[] = []
  #wake = () => {}
  #end: string | undefined

  protected hear(said: Said): void {
    this.#heard.push(said)
    this.#wake()
  }

  protected end(how: string): void {
    this.#end = how
    this.#wake()
  }

  async says(event: string): Promise<Said> {
    for (;;) {
      const said = this.#heard.find(said => said.event === event)
      if (said !== undefined) return said
      if (this.#end !== undefined) throw new Error(`it ended (${this.#end}) and never said ${event}`)
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

export class ProcessPeer extends Heard implements Peer {
  readonly #process: ChildProcess

  constructor(role: string, directory: string) {
    super()
    this.#process = spawn(runtime, [program, role, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
    if (this.#process.stdout !== null) createInterface(this.#process.stdout).on('line', line => this.hear(JSON.parse(line) as Said))
    this.#process.once('close', (code, signal) => this.end(String(code ?? signal)))
  }

  async kill(): Promise<unknown> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    return gone
  }
}

export class WorkerPeer extends Heard implements Peer {
  readonly #worker: Worker

  constructor(role: string, directory: string) {
    super()
    this.#worker = new Worker(program, { workerData: [role, directory] })
    this.#worker.on('message', (said: Said) => this.hear(said))
    this.#worker.once('error', error => this.end(String(error)))
    this.#worker.once('exit', code => this.end(String(code)))
  }

  kill(): Promise<unknown> {
    return this.#worker.terminate()
  }
}
