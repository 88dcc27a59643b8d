// How often a spawned process maps a region at the address where its maker has it. On demand, not part of `.ci/run`.
//
//   node ci/handles.mjs [--count 200] [--size BYTES] [--anywhere] [runtime...]
//
// For each runtime of scripts/runtimes.mjs, by default node20: a fresh region each time, at an address that is chosen anew, and a fresh process, which
// follows an absolute pointer in it. Prints "N of COUNT", and what else was said. With --anywhere, for comparison, at addresses where the kernel finds
// room.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { Region } from '../index.js'
import { executableOf } from '../scripts/runtimes.mjs'

const own = fileURLToPath(import.meta.url)
const { values, positionals } = parseArgs({
  options: {
    follow: { type: 'string' },
    count: { type: 'string', default: '200' },
    size: { type: 'string', default: String(2 ** 30) },
    anywhere: { type: 'boolean', default: false },
  },
  allowPositionals: true,
})
const word = 'found'

if (values.follow !== undefined) follow(JSON.parse(values.follow))
else for (const runtime of positionals.length > 0 ? positionals : ['node20']) await measure(runtime, Number(values.count))

function follow(handle) {
  const region = Region.fromHandle(handle)
  const [pointer] = region.view(BigUint64Array, 0, 1)
  console.log(Buffer.from(region.absoluteAt(pointer).subarray(0, word.length)).toString())
  region.close()
}

async function measure(runtime, count) {
  const executable = await executableOf(runtime)
  const failures = new Map()
  for (let spawn = 0; spawn < count; spawn++) {
    const said = await attempt(executable)
    if (said !== word) failures.set(said, (failures.get(said) ?? 0) + 1)
  }
  const failed = [...failures.values()].reduce((sum, times) => sum + times, 0)
  console.log(`${runtime}: ${count - failed} of ${count}`)
  for (const [said, times] of failures) console.log(`  ${times} times: ${said}`)
  if (failed > 0) process.exitCode = 1
}

/** Sparse, so that its size costs address space and no memory. */
async function attempt(executable) {
  const size = Number(values.size)
  const space = values.anywhere ? Region.reserve(size) : undefined
  const place = space === undefined ? {} : { address: space.address, placement: 'replace' }
  const region = Region.map({ source: 'memfd', size, reserve: false, ...place })
  try {
    const handle = region.handle()
    region.view(BigUint64Array, 0, 1)[0] = region.addressOf(size / 2)
    region.bytes.set(Buffer.from(word), size / 2)
    const { stdout } = await promisify(execFile)(executable, [own, '--follow', JSON.stringify(handle)], { timeout: 60_000 })
    return stdout.trim()
  } catch (error) {
    return /^\w*Error: .*/m.exec(error.stderr ?? '')?.[0] ?? error.message
  } finally {
    region.close()
    space?.close()
  }
}
