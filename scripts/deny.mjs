// `npm run deny`: licenses, bans and sources of all crates, by cargo-deny, which is installed into the user's cache where it is missing.
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { main, runOrFail } from './run.mjs'
import { hasCommand } from './tools.mjs'

const VERSION = '0.20.2'
/** Outside of the repository, so that a fresh clone need not build it again. */
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'pagecast', `cargo-deny-${VERSION}`)

await main(async () => {
  await runOrFail(await command(), ['--workspace', '--all-features', '--locked', 'check', 'licenses', 'bans', 'sources'])
})

async function command() {
  if (await hasCommand('cargo-deny')) return 'cargo-deny'
  const installed = join(folder, 'bin/cargo-deny')
  if (!existsSync(installed))
    await runOrFail('cargo', ['install', 'cargo-deny', '--version', VERSION, '--locked', '--debug', '--root', folder])
  return installed
}
