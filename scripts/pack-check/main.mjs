// `npm run pack:check`: installs the package as a user does, from a registry of its own, into an empty folder with no compiler, and uses it there.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { artifactOf, buildAll } from '../build-all.mjs'
import { packMain, packPlatform } from '../pack.mjs'
import { platforms } from '../platforms.mjs'
import { prepare } from '../prepare.mjs'
import { Failure, main, root } from '../run.mjs'
import { checkChoices } from './choice.mjs'
import { lintTarballs } from './lint.mjs'
import { runExamples } from './readme.mjs'
import { startRegistry } from './registry.mjs'
import { installedIn, Sandbox } from './sandbox.mjs'

const work = join(root, '.build/pack-check')

await main(async () => {
  const here = platforms.find(({ os, cpu, libc }) => os === process.platform && cpu === process.arch && libc !== 'musl')
  if (!here) throw new Failure(`there is no package for ${process.platform}-${process.arch}`)
  await prepare(['native', 'lib'])
  await buildAll([here])
  const { tarballs, standIns } = await packEverything()
  await lintTarballs(...tarballs)
  const registry = await startRegistry(tarballs.flat())
  const sandbox = new Sandbox(registry.url)
  try {
    const examples = await useAsInstalled(sandbox, here)
    const { supported, unsupported } = await checkChoices(sandbox)
    if (registry.refused.length > 0) throw new Failure(`npm also asked for ${registry.refused.join(', ')}`)
    console.log(
      `pack:check: npm install without a compiler on ${here.name}; ${examples} examples of the README as TypeScript (skipLibCheck: false), ES modules and require; ` +
        `publint clean, attw clean but for cjs-resolves-to-esm; npm's choice right for ${supported} platforms (${standIns} with a stand-in for the addon), nothing to choose and ERR_UNSUPPORTED_PLATFORM on ${unsupported}`,
    )
  } finally {
    registry.close()
    sandbox.remove()
  }
})

/** npm chooses by package.json alone: an addon that was not built here is stood in for by a file. */
async function packEverything() {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const standIn = join(work, 'stand-in.node')
  writeFileSync(standIn, '')
  const { path } = await packMain(work)
  const missing = platforms.filter(platform => !existsSync(join(root, artifactOf(platform))))
  const others = []
  for (const platform of platforms) others.push((await packPlatform(platform, work, missing.includes(platform) ? standIn : undefined)).path)
  return { tarballs: [path, others], standIns: missing.length }
}

async function useAsInstalled(sandbox, here) {
  const folder = await sandbox.install('empty')
  const found = installedIn(folder).join(', ')
  if (found !== `pagecast, ${here.package}`) throw new Failure(`npm install pagecast installed ${found}`)
  return runExamples(sandbox, folder)
}
