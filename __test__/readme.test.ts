import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

// Every TypeScript example of the documents is compiled with the published types and run. The Rust ones are doc tests of the core.

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = join(root, '.build', 'readme')
const run = promisify(execFile)
const WATCHDOG = { timeout: 60_000, killSignal: 'SIGKILL' } as const

interface Example {
  label: string
  code: string
}

function examples(document: string): Example[] {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/^```ts *(\S*)\n(.*?)^```/gms)].map(([, label = '', code = '']) => ({ label, code }))
}

async function compile(examples: Example[]): Promise<string[]> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = examples.map(({ code }, index) => {
    writeFileSync(join(folder, `example-${index}.ts`), `${code}\nexport {}\n`)
    return join(folder, `example-${index}.js`)
  })
  const compilerOptions = { noEmit: false, sourceMap: false, types: ['node'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }))
  await run(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder], WATCHDOG)
  return files
}

test.serial('the examples of the README compile and run', async t => {
  t.timeout(120_000)
  const found = examples('README.md')
  t.true(found.length >= 3, 'the README has examples')
  const files = await compile(found)
  const fileOf = (label: string): string => files[found.findIndex(example => example.label === label)] as string

  const publisher = spawn(process.execPath, [fileOf('publisher')], { stdio: 'inherit' })
  t.teardown(() => publisher.kill('SIGKILL'))
  const consumer = await run(process.execPath, [fileOf('consumer')], WATCHDOG)
  t.regex(consumer.stdout, /field1: \d+/)
  publisher.kill('SIGKILL')

  for (const [index, { label }] of found.entries()) {
    if (label !== '') continue
    const { stdout } = await run(process.execPath, [files[index] as string], WATCHDOG)
    t.true(stdout.length > 0, `example ${index} prints something`)
  }
  rmSync('/dev/shm/pose', { force: true })
})
