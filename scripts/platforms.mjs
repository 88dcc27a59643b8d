// The platforms that a release is built for: `napi.targets` of package.json, in the words of rustc, of npm and of the addon's loader.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, root } from './run.mjs'

const cpus = { x86_64: 'x64', aarch64: 'arm64' }
const libcs = { gnu: 'glibc', musl: 'musl' }

/** package.json, as it is now. */
export function mainManifest() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

/** All of them: `name` is that of the folder in `npm/`. */
export const platforms = mainManifest().napi.targets.map(platformOf)

/** Those with these names; all, where there are none. */
export function platformsNamed(names) {
  for (const name of names) if (!platforms.some(platform => platform.name === name)) throw new Failure(unknown(name))
  return names.length === 0 ? platforms : platforms.filter(({ name }) => names.includes(name))
}

function unknown(name) {
  return `${name} is none of ${platforms.map(platform => platform.name).join(', ')}`
}

function platformOf(triple) {
  const [arch, , system, abi] = triple.split('-')
  const os = system === 'darwin' ? 'darwin' : 'linux'
  const cpu = cpus[arch]
  const name = [os, cpu, ...(abi ? [abi] : [])].join('-')
  return { name, triple, os, cpu, libc: libcs[abi], package: `pagecast-${name}`, addon: `pagecast.${name}.node` }
}
