import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { SysVSharedMemory } from 'pagecast'
import { compile, type Example, examples, run, WATCHDOG } from './helpers/examples.js'
import { python, WITHOUT } from './helpers/python.js'

// Every example of docs/coming-from.md is run, in order and in one folder; what follows one in Python prints the same.

const NAMES = ['coming-from-frames', 'coming-from-points', 'coming-from-lock']
const SEGMENT = 0x70616765

/** Takes away what an example before left that failed. */
function tidy(): void {
  for (const name of NAMES) rmSync(join('/dev/shm', name), { force: true })
  for (const { id, key } of SysVSharedMemory.list()) if (key === SEGMENT) SysVSharedMemory.byId(id).remove()
}

test.serial('the examples of coming-from compile and run, and print what those in Python print', async t => {
  t.timeout(300_000)
  const found = examples('docs/coming-from.md', 'ts|python')
  const inTypeScript = found.filter(({ language }) => language === 'ts')
  t.true(inTypeScript.length >= 10 && found.length > inTypeScript.length, 'the document has examples')
  const files = await compile('coming-from', inTypeScript)
  const cwd = join(dirname(files[0] as string), 'work')
  mkdirSync(cwd)
  const play = async (example: Example): Promise<string> => {
    const args =
      example.language === 'python' ? [python ?? '', '-c', example.code] : [process.execPath, files[inTypeScript.indexOf(example)]]
    const [command = '', ...rest] = args as string[]
    const { stdout } = await run(command, rest, { ...WATCHDOG, cwd })
    return stdout
  }

  if (python === undefined) t.log(`those in Python were ${WITHOUT}`)
  tidy()
  t.teardown(tidy)
  let before: string | undefined
  for (const example of found) {
    const needsPython = example.language === 'python' || example.label === 'needs-python'
    const printed = needsPython && python === undefined ? undefined : await play(example)
    if (printed !== undefined) t.not(printed, '', `it prints something:\n${example.code}`)
    if (before !== undefined && example.follows && example.language === 'ts') t.is(printed, before, example.code)
    before = example.language === 'python' ? printed : undefined
  }
})
