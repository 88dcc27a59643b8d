// Builds the core's examples and copies them to a directory: `node scripts/rust-examples.mjs <directory> [cargo option...]`.
// Copies, because builds with other features would overwrite each other in cargo's own directory.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { main, root, runOrFail } from './run.mjs'

await main(async () => {
  const [directory, ...options] = process.argv.slice(2)
  // napi build names the target; naming it here too lets both share what they compile.
  const host = (await runOrFail('rustc', ['--print', 'host-tuple'], { stdout: null })).stdout.trim()
  const command = [
    'build',
    '--release',
    '--target',
    host,
    '--package',
    'pagecast',
    '--examples',
    '--message-format=json-render-diagnostics',
  ]
  const { stdout } = await runOrFail('cargo', [...command, ...options], { stdout: null })
  mkdirSync(resolve(root, directory), { recursive: true })
  for (const { name, executable } of examples(stdout)) {
    const copy = join(root, directory, name)
    // A running program cannot be overwritten, only unlinked.
    rmSync(copy, { force: true })
    copyFileSync(executable, copy)
  }
})

function examples(messages) {
  return messages
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line))
    .filter(message => message.reason === 'compiler-artifact' && message.target.kind.includes('example'))
    .map(message => ({ name: message.target.name, executable: message.executable }))
}
