// publint and "are the types wrong?" over the tarballs.
import { join } from 'node:path'
import { Failure, root, run, runOrFail } from '../run.mjs'

/** That `require` gets ES modules, which every Node that the package is for can do. */
const IGNORED = 'cjs-resolves-to-esm'

export async function lintTarballs(main, others) {
  for (const path of [main, ...others]) await publint(path)
  await attw(main)
}

async function publint(path) {
  const { stdout } = await runOrFail(tool('publint'), ['run', path, '--strict'], { stdout: null })
  if (!stdout.includes('All good!')) throw new Failure(`publint of ${path}:\n${stdout}`)
}

async function attw(path) {
  const { code, stdout } = await run(tool('attw'), [path, '--ignore-rules', IGNORED, '--format', 'ascii', '--no-color'], { stdout: null })
  if (code !== 0 || !stdout.includes('No problems found')) throw new Failure(`attw of ${path}:\n${stdout}`)
}

function tool(name) {
  return join(root, 'node_modules/.bin', name)
}
