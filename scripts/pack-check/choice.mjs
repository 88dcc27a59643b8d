// What npm installs on each platform, and what importing it says where there is nothing to install.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { platforms } from '../platforms.mjs'
import { Failure } from '../run.mjs'
import { installedIn } from './sandbox.mjs'

/** Without a package of their own. */
const unsupported = [
  { os: 'win32', cpu: 'x64' },
  { os: 'win32', cpu: 'arm64' },
  { os: 'darwin', cpu: 'x64' },
  { os: 'linux', cpu: 'riscv64', libc: 'glibc' },
]

/** How a program gets the package: `require` throws, and does not reject. */
const ways = { 'import.mjs': "import('pagecast')", 'require.cjs': "new Promise(resolve => resolve(require('pagecast')))" }

/** Resolves to how many platforms npm was asked for. */
export async function checkChoices(sandbox) {
  for (const platform of platforms) await expectInstalled(sandbox, platform, ['pagecast', platform.package])
  for (const platform of unsupported) await checkUnsupported(sandbox, platform)
  return { supported: platforms.length, unsupported: unsupported.length }
}

async function expectInstalled(sandbox, { os, cpu, libc }, expected) {
  const options = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])]
  const folder = await sandbox.install([os, cpu, libc].join('-'), options)
  const found = installedIn(folder).join(', ')
  if (found !== expected.join(', ')) throw new Failure(`npm install ${options.join(' ')} installed ${found}, not ${expected.join(', ')}`)
  return folder
}

async function checkUnsupported(sandbox, platform) {
  const folder = await expectInstalled(sandbox, platform, ['pagecast'])
  for (const [file, load] of Object.entries(ways)) {
    writeFileSync(join(folder, file), program(platform, load))
    const code = await sandbox.run(folder, 'node', [file])
    if (code !== 'ERR_UNSUPPORTED_PLATFORM\n') throw new Failure(`${file} on ${platform.os}-${platform.cpu} said ${code}`)
  }
}

/** Node believes what it is told. */
function program({ os, cpu }, load) {
  return [
    `Object.defineProperty(process, 'platform', { value: '${os}' })`,
    `Object.defineProperty(process, 'arch', { value: '${cpu}' })`,
    `${load}.then(() => console.log('no error'), error => console.log(error.code))`,
  ].join('\n')
}
