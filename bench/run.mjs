// `npm run bench -- [--json] [--quick] [--only NAME]`: every case in a process of its own, one after the other.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { RUST_BENCHES, rustCommand } from './rust.mjs'
import { heading, line } from './table.mjs'

const BENCHES = ['readInto', 'readLock', 'readStruct', 'write', 'writeStruct', ...RUST_BENCHES, 'wake', 'attach', 'fairness']

const { values } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string' } } })
const { json = false, quick = false, only } = values
const names = only === undefined ? BENCHES : BENCHES.filter(name => name === only)
if (names.length === 0) {
  console.error(`pagecast: there is no bench ${only}, expected ${BENCHES.join(', ')}`)
  process.exit(1)
}

if (!json) console.log(heading())
for (const name of names) {
  for (const child of commands(name)) {
    const exit = once(child, 'exit')
    for await (const text of createInterface(child.stdout)) console.log(json ? text : line(JSON.parse(text)))
    const [code] = await exit
    if (code !== 0) process.exitCode = 1
  }
}

function* commands(name) {
  if (RUST_BENCHES.includes(name)) yield rustCommand(name, quick)
  else for (const index of cases[name].keys()) yield scriptCommand(name, index)
}

function scriptCommand(name, index) {
  const program = join(import.meta.dirname, 'one.mjs')
  return spawn(process.execPath, [program, name, index, ...(quick ? ['quick'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] })
}
