// The Python that the tests of what is shared with it run: an environment in `.build/python`, with numpy at the version that is pinned here.
import { join } from 'node:path'
import { main, root, run, runOrFail } from './run.mjs'

const NUMPY = '2.3.5'
const folder = join(root, '.build/python')
const executable = join(folder, 'bin/python')

/** Where it is; made once. `undefined` where there is no python3. */
export async function pythonPath() {
  if (!(await works('python3', ['--version']))) return undefined
  if (!(await works(executable, ['-c', `import numpy; assert numpy.__version__ == '${NUMPY}'`]))) await make()
  return executable
}

/** Also in the place of one that was begun, or whose Python is gone. */
async function make() {
  console.error(`pagecast: installing numpy ${NUMPY} for the tests with Python`)
  await runOrFail('python3', ['-m', 'venv', '--clear', folder])
  await runOrFail(executable, ['-m', 'pip', 'install', '--quiet', '--no-input', '--only-binary', ':all:', `numpy==${NUMPY}`])
}

async function works(command, args) {
  const result = await run(command, args, { stdout: null, stderr: null }).catch(() => undefined) // there is none
  return result?.code === 0
}

if (process.argv[1] === import.meta.filename) {
  await main(async () => console.log((await pythonPath()) ?? 'there is no python3'))
}
