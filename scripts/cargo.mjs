// Finds out whether the Rust part can be built here.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, root, run } from './run.mjs'

/** Throws a one-line `Failure` when cargo is missing or older than Cargo.toml's rust-version. */
export async function requireCargo() {
  const needed = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^rust-version = "([\d.]+)"/m)[1]
  const found = await cargoVersion()
  if (found && !isOlder(found, needed)) return
  throw new Failure(`cargo ${needed} or newer is needed and ${found ? `${found} was` : 'none was'} found: see https://rustup.rs`)
}

async function cargoVersion() {
  try {
    // rustup's proxy exists without a toolchain too; then it prints no version.
    return (await run('cargo', ['--version'], { stdout: null, stderr: null })).stdout.match(/^cargo (\d+\.\d+(\.\d+)?)/)?.[1]
  } catch {
    return undefined
  }
}

/** What a compiler says of itself, its commit included; nothing where there is none. */
export async function compilerVersion(rustc = process.env.RUSTC ?? 'rustc') {
  try {
    return (await run(rustc, ['-vV'], { stdout: null, stderr: null })).stdout.trim()
  } catch {
    return ''
  }
}

/** Compares dotted version numbers. */
export function isOlder(version, than) {
  return version.localeCompare(than, 'en', { numeric: true }) < 0
}
