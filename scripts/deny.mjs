// `npm run deny`: licenses, bans and sources of all crates, by cargo-deny, which is installed into the user's cache where it is missing.
import { main, runOrFail } from './run.mjs'
import { cargoTool } from './tools.mjs'

await main(async () => {
  const deny = await cargoTool('cargo-deny', '0.20.2', ['--debug'])
  await runOrFail(deny, ['--workspace', '--all-features', '--locked', 'check', 'licenses', 'bans', 'sources'])
})
