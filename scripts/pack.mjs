// Makes the tarballs that a release publishes.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { artifactOf } from './build-all.mjs'
import { checkNotices, NOTICES } from './notices.mjs'
import { mainManifest, platforms } from './platforms.mjs'
import { publishedReadme } from './published-readme.mjs'
import { Failure, root, runOrFail } from './run.mjs'

const MAIN_LIMIT = 150_000
const PLATFORM_LIMIT = 700_000
/** What users need of the main package: the front door, the loader, the library and its types. */
const NEEDED = /^(package\.json|README\.md|LICENSE|index\.(js|d\.ts)|(addon|native)\.(cjs|d\.cts)|lib\/.+\.(js|d\.ts))$/
const stages = join(root, '.build/pack')
/** What the repository needs of package.json and users do not. */
const ours = ['scripts', 'devDependencies', 'overrides', 'napi', 'ava']

/** Packs the main package into a folder; resolves to what `npm pack` says of it. */
export async function packMain(folder) {
  const manifest = mainManifest()
  const stage = freshStage(manifest.name)
  for (const file of [...manifest.files, 'LICENSE']) cpSync(join(root, file), join(stage, file), { recursive: true })
  await withoutComments(join(stage, 'lib'))
  withPlainImports(join(stage, 'lib'))
  writeFileSync(join(stage, 'README.md'), publishedReadme(readFileSync(join(root, 'README.md'), 'utf8'), manifest))
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`)
  const tarball = await pack(stage, folder, MAIN_LIMIT)
  const needless = tarball.files.filter(file => !NEEDED.test(file))
  if (needless.length > 0) throw new Failure(`${tarball.name} has what users do not need: ${needless.join(', ')}`)
  return tarball
}

/** Packs the package of a platform into a folder, with the addon from `artifacts/` or another one. */
export async function packPlatform(platform, folder, addon = join(root, artifactOf(platform))) {
  if (!existsSync(addon)) throw new Failure(`${artifactOf(platform)} is missing: npm run build:all`)
  const stage = freshStage(platform.package)
  cpSync(join(root, 'npm', platform.name), stage, { recursive: true })
  await checkNotices()
  for (const file of ['LICENSE', NOTICES]) copyFileSync(join(root, file), join(stage, file))
  copyFileSync(addon, join(stage, platform.addon))
  const tarball = await pack(stage, folder, PLATFORM_LIMIT)
  const expected = ['LICENSE', 'README.md', NOTICES, 'package.json', platform.addon].sort().join(', ')
  const files = tarball.files.toSorted().join(', ')
  if (files !== expected) throw new Failure(`${tarball.name} has ${files}, not ${expected}`)
  return tarball
}

/** What the comments say to users is in the types beside the code, too; it need not travel twice. */
async function withoutComments(lib) {
  const emit = ['--removeComments', '--declaration', 'false', '--outDir', lib]
  await runOrFail(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.lib.json'), ...emit])
}

/** In the types: TypeScript's resolution by the name node10 does not know the `imports` of package.json. */
function withPlainImports(lib) {
  for (const name of readdirSync(lib).filter(name => name.endsWith('.d.ts'))) {
    const path = join(lib, name)
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll("'#native'", "'../native.cjs'"))
  }
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

async function pack(stage, folder, limit) {
  mkdirSync(folder, { recursive: true })
  const { stdout } = await runOrFail('npm', ['pack', '--json', '--pack-destination', folder, stage], { stdout: null, stderr: null })
  const [{ name, filename, files }] = Object.values(JSON.parse(stdout))
  const path = join(folder, filename)
  const packed = statSync(path).size
  if (packed > limit) throw new Failure(`${name} is ${packed.toLocaleString('en')} bytes packed, more than ${limit.toLocaleString('en')}`)
  return { name, path, packed, limit, files: files.map(file => file.path) }
}
