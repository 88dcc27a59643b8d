// `npm run build:all [-- platform...]`: the addon for every platform into `artifacts/`, on one Linux machine. zig is compiler and linker for all of them.
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { compilerVersion, requireCargo } from './cargo.mjs'
import { DEBIAN_STD, GLIBC_FLOOR, inspect } from './inspect.mjs'
import { platformsNamed } from './platforms.mjs'
import { Failure, main, root, runOrFail } from './run.mjs'
import { isFresh, stamp } from './stamp.mjs'
import { requireDebian, zigPath } from './tools.mjs'

const sources = ['Cargo.toml', 'Cargo.lock', 'crates/core/Cargo.toml', 'crates/core/src', 'crates/node']
const scripts = ['scripts/build-all.mjs', 'scripts/tools.mjs', 'scripts/inspect.mjs']
/** The first with arm64. */
const MACOS = '11.0'

/** Brings `artifacts/` up to date for these platforms. */
export async function buildAll(platforms) {
  await requireCargo()
  mkdirSync(join(root, 'artifacts'), { recursive: true })
  for (const platform of platforms) {
    const std = await standardLibrary(platform.triple)
    const compiler = [await compilerVersion(std.env.RUSTC), ...std.options].join('\n')
    const step = { name: `artifact-${platform.name}`, inputs: [...sources, ...scripts], outputs: [artifactOf(platform)], compiler }
    if (!isFresh(step)) await build(platform, std)
    stamp(step)
    const { size, facts } = await inspect(platform, join(root, artifactOf(platform)))
    console.log(`${platform.name.padEnd(16)} ${size.toLocaleString('en').padStart(9)} bytes  ${facts.join(', ')}`)
  }
}

export function artifactOf({ addon }) {
  return `artifacts/${addon}`
}

async function build(platform, { options, env }) {
  const { triple, libc } = platform
  console.error(`pagecast: building for ${platform.name}`)
  const target = libc === 'glibc' ? `${triple}.${GLIBC_FLOOR}` : triple
  const command = ['zigbuild', '--release', '--locked', '--package', 'pagecast-node', '--target', target, '--target-dir', 'target/cross']
  await runOrFail('cargo', [...command, ...options], { env: { ...env, ...(await environmentOf(platform)) } })
  await collect(platform)
}

/** That of rustup, where it has one for the platform; else it is built, by Debian's compiler, which comes with the source. */
async function standardLibrary(triple) {
  const { stdout } = await runOrFail('rustc', ['--print', 'target-libdir', '--target', triple], { stdout: null })
  if (existsSync(stdout.trim())) return { options: [], env: {} }
  await requireDebian('/usr/share/doc/rust-web-src', ['rustc-web', 'rust-web-src'])
  // Nightly's options of a stable compiler: what std itself is built with.
  return { options: ['-Zbuild-std=std,panic_abort'], env: { RUSTC: '/usr/bin/rustc', RUSTC_BOOTSTRAP: '1' } }
}

async function environmentOf({ os, libc }) {
  // An addon is loaded by a process that has its libc. And nobody needs to know where this was built.
  const flags = [...(libc === 'musl' ? ['-Ctarget-feature=-crt-static'] : []), ...remaps()]
  const env = { PATH: await zigPath(), CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') }
  // What strips for macOS is not with every compiler: it is done below.
  return os === 'darwin' ? { ...env, MACOSX_DEPLOYMENT_TARGET: MACOS, CARGO_PROFILE_RELEASE_STRIP: 'none' } : env
}

function remaps() {
  const home = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  const folders = { [root]: '', [join(home, 'registry/src')]: 'registry', [DEBIAN_STD]: 'rust' }
  return Object.entries(folders).map(([folder, name]) => `--remap-path-prefix=${folder}=${name}`)
}

async function collect(platform) {
  const to = join(root, artifactOf(platform))
  const file = platform.os === 'darwin' ? 'libpagecast_node.dylib' : 'libpagecast_node.so'
  const from = join(root, 'target/cross', platform.triple, 'release', file)
  rmSync(to, { force: true })
  if (platform.os === 'darwin') await stripMachO(from, to)
  else copyFileSync(from, to)
  if (statSync(to).size === 0) throw new Failure(`${to} is empty`)
}

/** Its signature is made anew with it. */
async function stripMachO(from, to) {
  await requireDebian('/usr/bin/llvm-objcopy', ['llvm'])
  await runOrFail('llvm-objcopy', ['--strip-all', from, to])
}

if (process.argv[1] === import.meta.filename) await main(() => buildAll(platformsNamed(process.argv.slice(2))))
