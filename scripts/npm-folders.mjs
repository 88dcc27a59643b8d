// `npm run platforms`: writes the folders in `npm/`, a package for each platform, from package.json.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NOTICES } from './notices.mjs'
import { mainManifest, platforms } from './platforms.mjs'
import { main, root } from './run.mjs'

const systems = { linux: 'Linux', darwin: 'macOS' }

/** Writes them all, and takes away those of no platform. */
export function writeFolders() {
  const folders = readdirSync(join(root, 'npm'), { withFileTypes: true }).filter(entry => entry.isDirectory())
  for (const { name } of folders) rmSync(join(root, 'npm', name), { recursive: true })
  for (const platform of platforms) write(join(root, 'npm', platform.name), platform)
}

function write(folder, platform) {
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(platform), null, 2)}\n`)
  writeFileSync(join(folder, 'README.md'), readmeOf(platform))
}

function manifestOf(platform) {
  const { version, license, author, repository, engines } = mainManifest()
  const { os, cpu, libc, addon } = platform
  const fits = { os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) }
  const description = `The addon of pagecast for ${labelOf(platform)}`
  return {
    name: platform.package,
    version,
    description,
    license,
    author,
    // npm signs where a package came from only where the package says so, too
    ...(repository && { repository }),
    engines,
    ...fits,
    type: 'commonjs',
    main: addon,
    files: [addon, NOTICES],
  }
}

function readmeOf(platform) {
  const what = `The native part of pagecast for ${labelOf(platform)}`
  return `# ${platform.package}\n\n${what}.\nInstall \`pagecast\`: npm then takes this package by itself where it fits.\n`
}

function labelOf({ os, cpu, libc }) {
  return `${systems[os]} on ${cpu}${libc ? ` with ${libc}` : ''}`
}

if (process.argv[1] === import.meta.filename) await main(writeFolders)
