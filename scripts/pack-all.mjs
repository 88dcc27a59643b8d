// `npm run pack:all`: the tarballs of a release into `artifacts/`, from what `npm run build:all` put there. Their sizes are printed and have a limit.
import { join } from 'node:path'
import { artifactOf } from './build-all.mjs'
import { inspect } from './inspect.mjs'
import { packMain, packPlatform } from './pack.mjs'
import { platforms } from './platforms.mjs'
import { prepare } from './prepare.mjs'
import { Failure, main, root } from './run.mjs'

const MAIN_LIMIT = 150_000
const PLATFORM_LIMIT = 700_000
/** What users need of the main package: the front door, the loader, the library and its types. */
const NEEDED = /^(package\.json|README\.md|LICENSE|index\.(js|d\.ts)|(addon|native)\.(cjs|d\.cts)|lib\/.+\.(js|d\.ts))$/

await main(async () => {
  // the types and the loader come with the addon
  await prepare(['native', 'lib'])
  const folder = join(root, 'artifacts')
  report(checkMain(await packMain(folder)), MAIN_LIMIT)
  for (const platform of platforms) {
    await inspect(platform, join(root, artifactOf(platform)))
    report(checkPlatform(platform, await packPlatform(platform, folder)), PLATFORM_LIMIT)
  }
})

function checkMain(tarball) {
  const needless = tarball.files.filter(file => !NEEDED.test(file))
  if (needless.length > 0) throw new Failure(`${tarball.name} has what users do not need: ${needless.join(', ')}`)
  return tarball
}

function checkPlatform({ addon }, tarball) {
  const expected = ['LICENSE', 'README.md', 'package.json', addon].sort().join(', ')
  const found = tarball.files.toSorted().join(', ')
  if (found !== expected) throw new Failure(`${tarball.name} has ${found}, not ${expected}`)
  return tarball
}

function report({ name, packed, files }, limit) {
  console.log(
    `${name.padEnd(26)} ${packed.toLocaleString('en').padStart(8)} bytes packed, of ${limit.toLocaleString('en')}; ${files.length} files`,
  )
  if (packed > limit) throw new Failure(`${name} is larger than ${limit.toLocaleString('en')} bytes`)
}
