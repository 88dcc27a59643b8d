// `npm run pack:all`: the tarballs of a release into `artifacts/`, from what `npm run build:all` put there.
import { join } from 'node:path'
import { artifactOf } from './build-all.mjs'
import { inspect } from './inspect.mjs'
import { packMain, packPlatform } from './pack.mjs'
import { platforms } from './platforms.mjs'
import { prepare } from './prepare.mjs'
import { main, root } from './run.mjs'

await main(async () => {
  // the types and the loader come with the addon
  await prepare(['native', 'lib'])
  const folder = join(root, 'artifacts')
  report(await packMain(folder))
  for (const platform of platforms) {
    await inspect(platform, join(root, artifactOf(platform)))
    report(await packPlatform(platform, folder))
  }
})

function report({ name, packed, limit, files }) {
  const [size, most] = [packed, limit].map(bytes => bytes.toLocaleString('en').padStart(7))
  console.log(`${name.padEnd(26)} ${size} bytes packed, of ${most}; ${files.length} files`)
}
