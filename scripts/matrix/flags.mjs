// Node with options that take away what pagecast needs: each is an error with its code.
import { join } from 'node:path'
import { run } from '../run.mjs'

const expected = [
  { flags: ['--jitless'], code: 'ERR_ENGINE_PAGES_UNAVAILABLE' },
  { flags: ['--permission', '--allow-fs-read=*'], code: 'ERR_ADDONS_DISABLED' },
  { flags: ['--no-addons'], code: 'ERR_ADDONS_DISABLED' },
  { flags: ['--permission', '--allow-fs-read=*', '--allow-fs-write=*', '--allow-addons'], code: 'none' },
]

export async function checkFlags(executable, folder) {
  const counts = { passed: 0, failed: 0 }
  const experimental = await isExperimental(executable)
  for (const { flags, code } of expected) {
    const used = flags.map(flag => (experimental && flag === '--permission' ? '--experimental-permission' : flag))
    const { stdout } = await run(executable, [...used, join(folder, 'children/loading.js')], { stdout: null, stderr: null })
    const right = stdout.includes(`"code":"${code}"`)
    counts[right ? 'passed' : 'failed'] += 1
    console.log(`  ${right ? '✔' : '✘'} ${used.join(' ')}: ${right ? code : stdout}`)
  }
  return counts
}

async function isExperimental(executable) {
  const { stdout } = await run(executable, ['-p', 'process.allowedNodeEnvironmentFlags.has("--permission")'], { stdout: null })
  return stdout.trim() === 'false'
}
