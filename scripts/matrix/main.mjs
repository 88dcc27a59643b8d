// `npm run test:matrix [-- --x64] [runtime...]`: what a release would publish, on every runtime, with two processes and two workers each.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildAll } from '../build-all.mjs'
import { lastCounts } from '../conformance.mjs'
import { packMain, packPlatform } from '../pack.mjs'
import { platformsNamed } from '../platforms.mjs'
import { prepare } from '../prepare.mjs'
import { Failure, main, root, run, runOrFail } from '../run.mjs'
import { executableOf } from '../runtimes.mjs'
import { emulated, emulator } from './arm64.mjs'
import { checkFlags } from './flags.mjs'
import { linkedWithMusl } from './musl.mjs'

const x64 = { platform: 'linux-x64-gnu', start: executableOf }
const runtimes = {
  node20: x64,
  node22: x64,
  node24: x64,
  node26: x64,
  bun: x64,
  'bun-musl': { platform: 'linux-x64-musl', start: name => linkedWithMusl(name) },
  'bun-musl-arm64': { platform: 'linux-arm64-musl', start: async name => linkedWithMusl(name, 'arm64', [await emulator()]) },
  'node24-arm64': { platform: 'linux-arm64-gnu', start: emulated },
}
const work = join(root, '.build/matrix')

await main(async () => {
  if (process.arch !== 'x64') throw new Failure('the matrix is made for x64, and emulates the rest')
  const names = selection()
  await prepare(['native', 'lib', 'test'])
  const platforms = platformsNamed([...new Set(names.map(name => runtimes[name].platform))])
  await buildAll(platforms)
  for (const platform of platforms) await install(platform)
  const counts = { passed: 0, failed: 0 }
  for (const name of names) {
    const { passed, failed } = await play(name)
    counts.passed += passed
    counts.failed += failed
  }
  console.log(`on ${names.join(', ')}`)
  console.log(`${counts.passed} passed, ${counts.failed} failed`)
  return counts.failed === 0 ? 0 : 1
})

function selection() {
  const { values, positionals } = parseArgs({ options: { x64: { type: 'boolean' } }, allowPositionals: true })
  for (const name of positionals)
    if (!Object.hasOwn(runtimes, name)) throw new Failure(`${name} is none of ${Object.keys(runtimes).join(', ')}`)
  const chosen = positionals.length > 0 ? positionals : Object.keys(runtimes)
  return chosen.filter(name => !values.x64 || runtimes[name].platform.startsWith('linux-x64'))
}

/** As npm would install it, with the tests beside it: `pagecast` is the package here, and not the repository. */
async function install(platform) {
  const folder = join(work, platform.name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  for (const { name, path } of [await packMain(work), await packPlatform(platform, work)]) {
    const installed = join(folder, 'node_modules', name)
    mkdirSync(installed, { recursive: true })
    await runOrFail('tar', ['-xzf', path, '-C', installed, '--strip-components=1'])
  }
  for (const part of ['matrix', 'helpers', 'children']) cpSync(join(root, '.build/test', part), join(folder, part), { recursive: true })
}

async function play(name) {
  const { platform, start } = runtimes[name]
  const [{ package: installed, addon }] = platformsNamed([platform])
  const executable = await start(name)
  const folder = join(work, platform)
  console.log(`\n${name}: ${installed}`)
  // The loader asks the system for its libc, and this one has another than the runtime.
  const loader = platform.endsWith('-musl') ? { NAPI_RS_NATIVE_LIBRARY_PATH: join(folder, 'node_modules', installed, addon) } : {}
  const env = { PAGECAST_MATRIX_RUNTIME: executable, ...loader }
  const { code, stdout } = await run(executable, [join(folder, 'matrix/main.js')], { stdout: process.stdout, env, minutes: 15 })
  const counts = lastCounts(stdout, code)
  const flags = name.startsWith('node') ? await checkFlags(executable, folder) : { passed: 0, failed: 0 }
  return { passed: counts.passed + flags.passed, failed: counts.failed + flags.failed }
}
