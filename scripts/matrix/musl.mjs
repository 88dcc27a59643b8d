// A runtime that is linked with musl, on a system that is not. Nothing of it is installed into the system.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, root, runOrFail } from '../run.mjs'
import { executableOf } from '../runtimes.mjs'
import { writeWrapper } from './wrapper.mjs'

/** By npm's name of the processor. */
const machines = { x64: { debian: 'amd64', machine: 'x86_64' }, arm64: { debian: 'arm64', machine: 'aarch64' } }
/** Bookworm's musl 1.2.3 runs Bun into a segmentation fault. */
const DEBIAN = 'trixie'
/** A package that brings the C++ library of a system with musl along; only that is used. */
const WHEEL = 'contourpy==1.4.0'

export async function linkedWithMusl(name, cpu = 'x64', emulator = []) {
  const folder = join(root, '.build/musl', cpu)
  const { debian, machine } = machines[cpu]
  const loader = join(folder, `musl/usr/lib/${machine}-linux-musl/libc.so`)
  const libraries = join(folder, 'libraries')
  if (!existsSync(loader)) await fetchMusl(folder, debian)
  if (!existsSync(join(libraries, 'libstdc++.so.6'))) await fetchLibraries(folder, libraries, machine)
  return writeWrapper(name, [...emulator, loader, '--library-path', libraries, await executableOf(name)])
}

/** From another release of Debian than this one, by apt with lists of its own. */
async function fetchMusl(folder, debian) {
  const apt = join(folder, 'apt')
  mkdirSync(join(apt, 'lists/partial'), { recursive: true })
  mkdirSync(join(apt, 'cache/archives/partial'), { recursive: true })
  writeFileSync(
    join(apt, 'sources.list'),
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await mirror()} ${DEBIAN} main\n`,
  )
  // what is installed here is no matter, and for another processor
  writeFileSync(join(apt, 'status'), '')
  const settings = { 'Etc::sourcelist': 'sources.list', 'State::lists': 'lists', 'State::status': 'status', Cache: 'cache' }
  const architecture = ['-o', `APT::Architecture=${debian}`, '-o', `APT::Architectures::=${debian}`]
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `Dir::${key}=${join(apt, value)}`])
  const apart = [...options, ...architecture, '-o', 'Dir::Etc::sourceparts=-', '-o', 'APT::Sandbox::User=root', '-qq']
  await runOrFail('apt-get', [...apart, 'update'])
  await runOrFail('apt-get', [...apart, '-y', '--download-only', '--reinstall', '--no-install-recommends', 'install', `musl:${debian}`])
  const archives = join(apt, 'cache/archives')
  const file = readdirSync(archives).find(name => name.startsWith('musl_'))
  if (!file) throw new Failure(`Debian ${DEBIAN} did not give musl`)
  await runOrFail('dpkg-deb', ['--extract', join(archives, file), join(folder, 'musl')])
}

/** The one that this machine has its packages from. */
async function mirror() {
  const { stdout } = await runOrFail('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { stdout: null })
  const found = stdout.split('\n').find(address => /\/debian\/?$/.test(address))
  if (!found) throw new Failure('apt-get knows no Debian mirror: on another system with musl, run the tests there')
  return found
}

async function fetchLibraries(folder, libraries, machine) {
  const wheels = join(folder, 'wheels')
  const musl = ['--only-binary=:all:', `--platform=musllinux_1_2_${machine}`, '--python-version=3.12', '--implementation=cp']
  await runOrFail('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', ...musl, '--dest', wheels, WHEEL])
  await runOrFail('python3', ['-m', 'zipfile', '--extract', join(wheels, readdirSync(wheels)[0]), wheels])
  const brought = readdirSync(wheels).find(name => name.endsWith('.libs'))
  rmSync(libraries, { recursive: true, force: true })
  mkdirSync(libraries)
  for (const file of readdirSync(join(wheels, brought))) {
    symlinkSync(join(wheels, brought, file), join(libraries, file))
    if (file.startsWith('libstdc++')) symlinkSync(join(wheels, brought, file), join(libraries, 'libstdc++.so.6'))
  }
}
