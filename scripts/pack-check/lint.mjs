// publint and "are the types wrong?" over the tarballs.
import { join } from 'node:path'
import { Failure, root, run, runOrFail } from '../run.mjs'

/** Before TypeScript 5 and Node 20.19: there `exports` and `require` of ES modules were not known. */
const OUTDATED = ['node10', 'node16-cjs']

export async function lintTarballs(main, others) {
  for (const path of [main, ...others]) await publint(path)
  await attw(main)
}

async function publint(path) {
  const { stdout } = await runOrFail(tool('publint'), ['run', path, '--strict'], { stdout: null })
  if (!stdout.includes('All good!')) throw new Failure(`publint of ${path}:\n${stdout}`)
}

/** Its exit code counts what its profile ignores, so the problems are read. */
async function attw(path) {
  const { stdout } = await run(tool('attw'), [path, '--format', 'json'], { stdout: null })
  const { analysis } = JSON.parse(stdout)
  const problems = analysis.problems.filter(problem => !OUTDATED.includes(problem.resolutionKind ?? problem.resolutionOption))
  if (!analysis.types || problems.length > 0) throw new Failure(`attw: ${JSON.stringify(problems)}`)
}

function tool(name) {
  return join(root, 'node_modules/.bin', name)
}
