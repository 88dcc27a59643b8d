// `npm run release:dry`: shows everything that a release would publish to npm and to crates.io, and publishes nothing.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { mainManifest, platforms } from './platforms.mjs'
import { Failure, main, root, runOrFail } from './run.mjs'
import { checkVersions, tagOf } from './versions.mjs'

await main(async () => {
  const version = checkVersions()
  await runOrFail('npm', ['run', '--silent', 'build:all'])
  await runOrFail('npm', ['run', '--silent', 'pack:all'])
  // The main package comes last: whoever installs it finds what it asks for.
  const names = [...platforms.map(platform => platform.package), mainManifest().name]
  for (const name of names) await showPackage(`${name}-${version}.tgz`, tagOf(version))
  await showCrate()
  console.log(`${version}: ${names.length} packages for npm and the crate pagecast shown, nothing published`)
})

async function showPackage(file, tag) {
  if (!readdirSync(join(root, 'artifacts')).includes(file)) throw new Failure(`artifacts/${file} is missing`)
  const command = ['publish', '--dry-run', '--json', '--tag', tag, `./artifacts/${file}`]
  const { stdout } = await runOrFail('npm', command, { stdout: null, stderr: null })
  const printed = JSON.parse(stdout)
  const { id, size, unpackedSize, files } = printed.id ? printed : Object.values(printed)[0]
  console.log(`npm: ${id} as ${tag}, ${size.toLocaleString('en')} bytes packed, ${unpackedSize.toLocaleString('en')} unpacked`)
  for (const { path } of files) console.log(`  ${path}`)
}

/** Cargo also builds what it packed, and refuses what is not committed. */
async function showCrate() {
  const { stdout } = await runOrFail('cargo', ['package', '--list', '--package', 'pagecast', '--allow-dirty'], {
    stdout: null,
    stderr: null,
  })
  console.log('crates.io: pagecast')
  for (const file of stdout.trim().split('\n')) console.log(`  ${file}`)
  await runOrFail('cargo', ['publish', '--dry-run', '--package', 'pagecast', '--target-dir', 'target/publish'])
}
