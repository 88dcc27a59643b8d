// A process that writes, as the hammer sees it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const script = join(import.meta.dirname, 'writer.mjs')
const program = join(import.meta.dirname, '..', '.build', 'rust', 'writer')

export class Writer {
  /** Once it has mapped the region. */
  ready
  /** Once it has ended: what it counted. */
  counts
  #child

  /** Every other one is in Rust. */
  constructor(fd, owner, limitMs, fields) {
    const [command, ...first] = owner % 2 === 1 ? [program] : [process.execPath, script]
    const places = fields.map(({ offset, length }) => `${offset}+${length}`).join(',')
    const child = spawn(command, [...first, owner, Math.round(limitMs), places].map(String), { stdio: ['ignore', 'pipe', 'pipe', fd] })
    const said = []
    let errors = ''
    child.stderr.on('data', data => {
      errors += data
    })
    const lines = createInterface(child.stdout)
    const ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (code === 0 && said.length === 2) resolve(said[1])
        else reject(new Error(`writer ${owner}, ${command}: ${code ?? signal}: ${errors.slice(0, 2000)}`))
      })
    })
    this.ready = Promise.race([ended, new Promise(resolve => lines.once('line', resolve))])
    this.counts = ended
    for (const promise of [this.ready, this.counts]) promise.catch(() => {}) // whoever waits for it hears of it
    lines.on('line', line => said.push(JSON.parse(line)))
    this.#child = child
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}
