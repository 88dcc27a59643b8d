// `npm run bench -- [--json] [--quick] [--only NAME]`: every case in processes of its own, one after the other.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { RUST_BENCHES, rustCommand } from './rust.mjs'
import { heading, line } from './table.mjs'

const BENCHES = ['readInto', 'readLock', 'readStruct', 'write', 'writeStruct', ...RUST_BENCHES, 'wake', 'attach', 'fairness', 'region']

const { values } = parseArgs({ options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, only: { type: 'string' } } })
const { json = false, quick = false, only } = values
const names = only === undefined ? BENCHES : BENCHES.filter(name => name === only)
if (names.length === 0) {
  console.error(`pagecast: there is no bench ${only}, expected ${BENCHES.join(', ')}`)
  process.exit(1)
}

/** What an engine makes of the same program differs from process to process: of this many the middle one counts. */
const PROCESSES = quick ? 1 : 5

if (!json) console.log(heading())
for (const name of names) {
  for await (const row of rows(name)) console.log(json ? JSON.stringify(row) : line(row))
}

async function* rows(name) {
  if (RUST_BENCHES.includes(name)) yield* answers(rustCommand(name, quick))
  else for (const index of cases[name].keys()) yield await typical(name, index)
}

async function typical(name, index) {
  const found = []
  do for await (const row of answers(scriptCommand(name, index))) found.push(row)
  while (found[0]?.ns !== undefined && found.length < PROCESSES)
  if (found.length === 1) return found[0]
  const key = found[0].ratio === undefined ? 'ns' : 'ratio'
  found.sort((a, b) => a[key] - b[key])
  const all = found.map(row => row[key])
  return { ...found[Math.floor(found.length / 2)], ...(key === 'ns' ? { processesNs: all } : { processesRatios: all }) }
}

async function* answers(child) {
  const exit = once(child, 'exit')
  for await (const text of createInterface(child.stdout)) yield JSON.parse(text)
  const [code] = await exit
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`)
}

function scriptCommand(name, index) {
  const program = join(import.meta.dirname, 'one.mjs')
  return spawn(process.execPath, [program, name, index, ...(quick ? ['quick'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] })
}
