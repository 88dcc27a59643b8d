// What a build for another platform needs beside cargo, installed where it is missing: from Debian's packages, and from PyPI into `.build/cross`.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Failure, root, run, runOrFail } from './run.mjs'

const python = { ziglang: '0.17.1', 'cargo-zigbuild': '0.24.1' }
const pins = Object.entries(python).map(([name, version]) => `${name}==${version}`)
const venv = join(root, '.build/cross', pins.join('+'))

/** Whether a command can be run at all. */
export async function hasCommand(command, args = ['--version']) {
  return (await run(command, args, { stdout: null, stderr: null }).catch(() => ({ code: 1 }))).code === 0
}

/** The path of a program of cargo's at this version, installed into the user's cache, outside of the repository: a fresh clone need not build it again. */
export async function cargoTool(name, version, options = []) {
  if (await hasCommand(name)) return name
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pagecast', `${name}-${version}`)
  const installed = join(folder, 'bin', name)
  if (!existsSync(installed)) await runOrFail('cargo', ['install', name, '--version', version, '--locked', '--root', folder, ...options])
  return installed
}

/** Installs Debian packages, unless the command or file that they are for is there. */
export async function requireDebian(found, packages) {
  if (existsSync(found)) return
  if (process.getuid?.() !== 0 || !(await hasCommand('apt-get'))) {
    throw new Failure(`${found} is missing: install ${packages.join(' ')}, or run this as root on Debian, where it installs them itself`)
  }
  console.error(`pagecast: installing ${packages.join(' ')}`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await runOrFail('apt-get', ['update', '-qq'], { env })
  await runOrFail('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env })
  if (!existsSync(found)) throw new Failure(`${packages.join(' ')} did not bring ${found}`)
}

/** The PATH on which cargo finds zigbuild, and that finds zig. */
export async function zigPath() {
  const bin = join(venv, 'bin')
  if (!existsSync(join(bin, 'cargo-zigbuild'))) await installZig()
  return [bin, process.env.PATH].join(delimiter)
}

async function installZig() {
  console.error(`pagecast: installing ${pins.join(' ')}`)
  const made = await run('python3', ['-m', 'venv', '--clear', venv])
  if (made.code !== 0) {
    await requireDebian('/usr/share/doc/python3-venv', ['python3-venv'])
    await runOrFail('python3', ['-m', 'venv', '--clear', venv])
  }
  await runOrFail(join(venv, 'bin/pip'), ['install', '--quiet', ...pins])
}
