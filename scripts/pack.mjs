// Makes the tarballs that a release publishes.
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { artifactOf } from './build-all.mjs'
import { mainManifest, platforms } from './platforms.mjs'
import { Failure, root, runOrFail } from './run.mjs'

const stages = join(root, '.build/pack')
/** What the repository needs of package.json and users do not. */
const ours = ['scripts', 'devDependencies', 'overrides', 'napi', 'ava']

/** Packs the main package into a folder; resolves to what `npm pack` says of it. */
export async function packMain(folder) {
  const manifest = mainManifest()
  const stage = freshStage(manifest.name)
  for (const file of [...manifest.files, 'README.md', 'LICENSE']) cpSync(join(root, file), join(stage, file), { recursive: true })
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)
  return pack(stage, folder)
}

/** Packs the package of a platform into a folder, with the addon from `artifacts/` or another one. */
export async function packPlatform(platform, folder, addon = join(root, artifactOf(platform))) {
  if (!existsSync(addon)) throw new Failure(`${artifactOf(platform)} is missing: npm run build:all`)
  const stage = freshStage(platform.package)
  cpSync(join(root, 'npm', platform.name), stage, { recursive: true })
  copyFileSync(join(root, 'LICENSE'), join(stage, 'LICENSE'))
  copyFileSync(addon, join(stage, platform.addon))
  return pack(stage, folder)
}

function publishedManifest(manifest) {
  const kept = Object.entries(manifest).filter(([key]) => !ours.includes(key))
  const optionalDependencies = Object.fromEntries(platforms.map(platform => [platform.package, manifest.version]))
  return { ...Object.fromEntries(kept), optionalDependencies }
}

function freshStage(name) {
  const stage = join(stages, name)
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  return stage
}

async function pack(stage, folder) {
  mkdirSync(folder, { recursive: true })
  const { stdout } = await runOrFail('npm', ['pack', '--json', '--pack-destination', folder, stage], { stdout: null, stderr: null })
  const [{ name, filename, files }] = Object.values(JSON.parse(stdout))
  const path = join(folder, filename)
  return { name, path, packed: statSync(path).size, files: files.map(file => file.path) }
}
