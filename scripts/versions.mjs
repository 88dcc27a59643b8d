// `npm run versions`: whether all packages and crates carry one version. `npm run versions -- 0.2.0` gives them that one.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFolders } from './npm-folders.mjs'
import { mainManifest, platforms } from './platforms.mjs'
import { Failure, main, root, runOrFail } from './run.mjs'

/** The fuzzers are a workspace of their own. */
const locked = [
  ['Cargo.lock', 'pagecast'],
  ['Cargo.lock', 'pagecast-node'],
  ['fuzz/Cargo.lock', 'pagecast'],
]
const VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/

/** Throws a `Failure` that names every place with another version than package.json; resolves to the version. */
export function checkVersions() {
  const { version } = mainManifest()
  const other = Object.entries(found()).filter(([, found]) => found !== version)
  if (other.length === 0) return version
  throw new Failure(`package.json has ${version}: ${other.map(([where, found]) => `${where} has ${found}`).join(', ')}`)
}

/** What `npm publish` files a version under: who installs without a version gets none that goes before a release. */
export function tagOf(version) {
  return version.includes('-') ? 'next' : 'latest'
}

/** What is where, as it stands. */
function found() {
  const cargo = read('Cargo.toml')
  const lock = JSON.parse(read('package-lock.json'))
  const places = {
    'package-lock.json': lock.version,
    "package-lock.json's root": lock.packages[''].version,
    'Cargo.toml': cargo.match(/^version = "(.*)"/m)?.[1],
    "Cargo.toml's pagecast": cargo.match(/^pagecast = .*version = "(.*?)"/m)?.[1],
    'native.cjs': read('native.cjs').match(/expected (\S+) but got/)?.[1],
    'CHANGELOG.md': read('CHANGELOG.md').match(/^## (\S+)/m)?.[1],
  }
  for (const [lock, crate] of locked) places[`${lock}'s ${crate}`] = read(lock).match(entryOf(crate))?.[2]
  for (const { name } of platforms) places[`npm/${name}`] = JSON.parse(read(`npm/${name}/package.json`)).version
  return places
}

async function setVersion(version) {
  if (!VERSION.test(version)) throw new Failure(`${version} is no version`)
  await runOrFail('npm', ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts'], { stdout: null })
  const cargo = read('Cargo.toml').replace(/^version = ".*"/m, `version = "${version}"`)
  writeFileSync(join(root, 'Cargo.toml'), cargo.replace(/^(pagecast = .*version = )".*?"/m, `$1"${version}"`))
  for (const [lock, crate] of locked) writeFileSync(join(root, lock), read(lock).replace(entryOf(crate), `$1"${version}"`))
  writeFolders()
  // The loader has the version in it.
  await runOrFail('npm', ['run', '--silent', 'build:native'])
  console.log(`${version} everywhere but in CHANGELOG.md, which is written by hand`)
}

function entryOf(crate) {
  return new RegExp(`(name = "${crate}"\nversion = )"(.*)"`)
}

function read(path) {
  return readFileSync(join(root, path), 'utf8')
}

if (process.argv[1] === import.meta.filename) {
  const [version] = process.argv.slice(2)
  await main(async () => {
    if (version) return setVersion(version)
    console.log(`${checkVersions()} in all packages and crates`)
  })
}
