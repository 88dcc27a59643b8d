// Looks into a built addon: whether it is for its platform, asks for no newer system than it should, and carries nothing along.
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isOlder } from './cargo.mjs'
import { inspectMachO } from './mach-o.mjs'
import { Failure, root, runOrFail } from './run.mjs'

const machines = { x64: 'X86-64', arm64: 'AArch64' }
/** What may be loaded with it, which every system with such a libc has. */
const libraries = {
  glibc: ['libc.so.6', 'libpthread.so.0', 'libdl.so.2', 'libm.so.6', 'ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1'],
  musl: ['libc.so'],
}
/** Red Hat 7 and everything since. */
export const GLIBC_FLOOR = '2.17'
/** Where Debian has the sources of the standard library. */
export const DEBIAN_STD = '/usr/lib/rustlib/src/rust'

/** Throws a `Failure` that says what is wrong; resolves to its size and what was found. */
export async function inspect(platform, path) {
  const bytes = readFileSync(path)
  refusePaths(platform, bytes)
  const facts = platform.os === 'darwin' ? inspectMachO(platform, bytes) : await inspectElf(platform, path)
  return { size: bytes.length, facts }
}

async function inspectElf(platform, path) {
  const { stdout } = await runOrFail('readelf', ['--wide', '--file-header', '--sections', '--dynamic', '--version-info', path], {
    stdout: null,
  })
  expect(platform, stdout.includes(machines[platform.cpu]), `is not for ${platform.cpu}`)
  expect(platform, !/ \.(symtab|debug_\w+) /.test(stdout), 'is not stripped')
  // An addon that is unloaded with a worker would take the code of its threads away.
  expect(platform, /FLAGS_1.*NODELETE/.test(stdout), 'can be unloaded')
  for (const [, library] of stdout.matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
    expect(platform, libraries[platform.libc].includes(library), `needs ${library}`)
  }
  if (platform.libc === 'musl') return ['musl', 'stripped']
  const newest = newestGlibc(stdout)
  expect(platform, !isOlder(GLIBC_FLOOR, newest), `needs glibc ${newest}, newer than ${GLIBC_FLOOR}`)
  return [`glibc >= ${newest}`, 'stripped']
}

function newestGlibc(text) {
  const versions = Array.from(text.matchAll(/GLIBC_([\d.]+)/g), match => match[1])
  return versions.reduce((newest, version) => (isOlder(newest, version) ? version : newest), '0')
}

/** Names of folders of the machine that built it are of no use to anybody. */
function refusePaths(platform, bytes) {
  for (const folder of [root, `${homedir()}/`, DEBIAN_STD]) expect(platform, !bytes.includes(folder), `has the path ${folder} in it`)
}

function expect({ addon }, condition, what) {
  if (!condition) throw new Failure(`${addon} ${what}`)
}
