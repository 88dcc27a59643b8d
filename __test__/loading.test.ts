import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

// Where the library cannot be had, importing it fails with a code and one sentence, and can be caught.

const program = fileURLToPath(new URL('children/loading.js', import.meta.url))
const permission = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'

async function load(nodeArguments: string[], args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const options = { env: { ...process.env, ...env }, timeout: 60_000, killSignal: 'SIGKILL' } as const
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeArguments, program, ...args], options)
  return JSON.parse(stdout) as { name: string; code: string; message: string }
}

for (const way of ['import', 'require']) {
  for (const cpu of ['x64', 'arm64']) {
    test(`on Windows with ${cpu}, by ${way}`, async t => {
      t.deepEqual(await load([], ['win32', cpu, way]), {
        name: 'PagecastError',
        code: 'ERR_UNSUPPORTED_PLATFORM',
        message: `pagecast runs on Linux (x64 or arm64, glibc or musl) and on macOS (arm64), not on win32-${cpu}: on Windows, use it in WSL 2`,
      })
    })
  }
}

test('on a processor without a package', async t => {
  const { code, message } = await load([], ['linux', 'riscv64'])
  t.is(code, 'ERR_UNSUPPORTED_PLATFORM')
  t.regex(message, /not on linux-riscv64$/)
})

test('on every platform that has a package and was not installed', async t => {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { targets } = (JSON.parse(manifest) as { napi: { targets: string[] } }).napi
  const platforms = targets.map(target => [target.includes('darwin') ? 'darwin' : 'linux', target.startsWith('x86_64') ? 'x64' : 'arm64'])
  for (const platform of platforms.filter(([os, cpu]) => os !== process.platform || cpu !== process.arch)) {
    const { code, message } = await load([], platform)
    t.is(code, 'ERR_ADDON_MISSING')
    t.regex(message, new RegExp(`for ${platform.join('-')} is not installed: .*--omit=optional`))
  }
})

test('with an addon that does not load', async t => {
  const { code, message } = await load([], [], { NAPI_RS_NATIVE_LIBRARY_PATH: `${program}.node` })
  t.is(code, 'ERR_ADDON_MISSING', message)
  const broken = await load([], [], { NAPI_RS_NATIVE_LIBRARY_PATH: fileURLToPath(new URL('../../native.d.cts', import.meta.url)) })
  t.is(broken.code, 'ERR_ADDON_UNLOADABLE', broken.message)
})

test('without permission for addons', async t => {
  for (const [flag, remedy] of [
    [[permission, '--allow-fs-read=*'], 'with --allow-addons beside --permission'],
    [['--no-addons'], 'without --no-addons'],
  ] as const) {
    const { name, code, message } = await load([...flag])
    t.is(name, 'PagecastError')
    t.is(code, 'ERR_ADDONS_DISABLED')
    t.is(message, `pagecast is a native addon, and this process may load none: start it ${remedy}`)
  }
})

test('with --jitless', async t => {
  const { code, message } = await load(['--jitless'])
  t.is(code, 'ERR_ENGINE_PAGES_UNAVAILABLE')
  t.regex(message, /^create loading: this process has no WebAssembly \(--jitless\?\)/)
})
