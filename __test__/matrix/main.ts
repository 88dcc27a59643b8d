// Runs the cases on the runtime that runs this, against the package that is installed beside it; says where the addon came from.
import { mkdtempSync, rmSync } from 'node:fs'
import { cases, LINUX_ONLY } from './cases.js'
import type { Peer } from './peers.js'

/** An emulator takes its time. */
const WATCHDOG_MS = 120_000
const isLinux = process.platform === 'linux'
/** In memory, where there is such a place; short, since a socket's path is. */
const parent = isLinux ? '/dev/shm' : '/tmp'

async function play(name: string): Promise<boolean> {
  const directory = mkdtempSync(`${parent}/pagecast-matrix-`)
  const started: Peer[] = []
  const watchdog = setTimeout(() => {
    console.log(`  ✘ ${name}: not done after ${WATCHDOG_MS / 1000} s`)
    process.exit(1)
  }, WATCHDOG_MS)
  try {
    await cases[name]?.(directory, started)
    console.log(`  ✔ ${name}`)
    return true
  } catch (error) {
    console.log(`  ✘ ${name}: ${error instanceof Error ? error.stack : error}`)
    return false
  } finally {
    clearTimeout(watchdog)
    for (const peer of started) await peer.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

const results: boolean[] = []
for (const name of Object.keys(cases)) {
  if (isLinux || !LINUX_ONLY.includes(name)) results.push(await play(name))
  else console.log(`  - ${name}: not on ${process.platform}`)
}
const failed = results.filter(result => !result).length
const { bun, node } = process.versions
console.log(`${bun === undefined ? `node ${node}` : `bun ${bun}`} ${process.platform} ${process.arch}`)
console.log(`${results.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
