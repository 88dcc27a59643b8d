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
  writeFileSync(join(folder, 'import.mjs'), program(platform))
  const code = await sandbox.run(folder, 'node', ['import.mjs'])
  if (code !== 'ERR_UNSUPPORTED_PLATFORM\n') throw new Failure(`importing on ${platform.os}-${platform.cpu} said ${code}`)
}

/** Node believes what it is told. */
function program({ os, cpu }) {
  return [
    `Object.defineProperty(process, 'platform', { value: '${os}' })`,
    `Object.defineProperty(process, 'arch', { value: '${cpu}' })`,
    `import('pagecast').then(() => console.log('no error'), error => console.log(error.code))`,
  ].join('\n')
}
