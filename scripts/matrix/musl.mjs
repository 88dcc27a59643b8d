// A runtime that is linked with musl, on a system that is not. Nothing of it is installed into the system.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, root, runOrFail } from '../run.mjs'
import { executableOf } from '../runtimes.mjs'
import { writeWrapper } from './wrapper.mjs'

const folder = join(root, '.build/musl')
const loader = join(folder, 'musl/usr/lib/x86_64-linux-musl/libc.so')
const libraries = join(folder, 'libraries')
/** Bookworm's musl 1.2.3 runs Bun into a segmentation fault. */
const DEBIAN = 'trixie'
/** A package that brings the C++ library of a system with musl along; only that is used. */
const WHEEL = 'contourpy==1.4.0'

export async function linkedWithMusl(name) {
  if (!existsSync(loader)) await fetchMusl()
  if (!existsSync(join(libraries, 'libstdc++.so.6'))) await fetchLibraries()
  return writeWrapper(name, [loader, '--library-path', libraries, await executableOf(name)])
}

/** From another release of Debian than this one, by apt with lists of its own. */
async function fetchMusl() {
  const apt = join(folder, 'apt')
  mkdirSync(join(apt, 'lists/partial'), { recursive: true })
  mkdirSync(join(apt, 'cache/archives/partial'), { recursive: true })
  writeFileSync(
    join(apt, 'sources.list'),
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await mirror()} ${DEBIAN} main\n`,
  )
  const settings = { 'Etc::sourcelist': 'sources.list', 'State::lists': 'lists', Cache: 'cache' }
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `Dir::${key}=${join(apt, value)}`])
  const apart = [...options, '-o', 'Dir::Etc::sourceparts=-', '-o', 'APT::Sandbox::User=root', '-qq']
  await runOrFail('apt-get', [...apart, 'update'])
  await runOrFail('apt-get', [...apart, '-y', '--download-only', '--reinstall', '--no-install-recommends', 'install', 'musl'])
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

async function fetchLibraries() {
  const wheels = join(folder, 'wheels')
  const musl = ['--only-binary=:all:', '--platform=musllinux_1_2_x86_64', '--python-version=3.12', '--implementation=cp']
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
