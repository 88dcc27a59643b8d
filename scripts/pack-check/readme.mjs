// Runs the TypeScript examples of the README where the package is installed: type-checked and compiled, as ES modules and through `require`.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, root, runOrFail } from '../run.mjs'

const compilerOptions = {
  target: 'es2022',
  lib: ['es2022', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  rootDir: 'source',
  outDir: 'out',
}
/** What @types/node is made of. */
const types = ['@types/node', 'undici-types']

/** Resolves to the number of examples. */
export async function runExamples(sandbox, folder) {
  const examples = readExamples()
  const built = await compile(folder, examples)
  for (const kind of ['mjs', 'cjs']) await runAll(sandbox, built, examples, kind)
  return examples.length
}

function readExamples() {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const found = [...text.matchAll(/^```ts *(\S*)\n(.*?)^```/gms)]
  if (found.length < 3) throw new Failure('the README has no examples')
  return found.map(([, label, code], index) => ({ name: label || `example-${index}`, paired: label !== '', code }))
}

async function compile(folder, examples) {
  for (const name of types) cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), { recursive: true })
  mkdirSync(join(folder, 'source'))
  for (const { name, code } of examples) writeFileSync(join(folder, 'source', `${name}.mts`), `${code}\nexport {}\n`)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['source'] }))
  await runOrFail(join(root, 'node_modules/.bin/tsc'), ['-p', folder])
  const built = join(folder, 'out')
  for (const { name } of examples) writeFileSync(join(built, `${name}.cjs`), asCommonJs(readFileSync(join(built, `${name}.mjs`), 'utf8')))
  return built
}

/** CommonJS has no `await` at the top. */
function asCommonJs(code) {
  const body = code.replace(/^import (\{.*?\}) from ('pagecast');?$/gm, 'const $1 = require($2)').replace(/^export \{\};?$/gm, '')
  if (!body.includes("require('pagecast')") || /^(import|export) /m.test(body)) throw new Failure(`cannot be made CommonJS:\n${code}`)
  return `(async () => {\n${body}\n})()\n`
}

async function runAll(sandbox, folder, examples, kind) {
  await runPair(sandbox, folder, kind)
  for (const { name, paired } of examples) {
    if (paired) continue
    const printed = await sandbox.run(folder, 'node', [`${name}.${kind}`])
    if (printed === '') throw new Failure(`${name}.${kind} printed nothing`)
  }
}

async function runPair(sandbox, folder, kind) {
  const publisher = sandbox.start(folder, 'node', [`publisher.${kind}`])
  try {
    const printed = await sandbox.run(folder, 'node', [`consumer.${kind}`])
    if (!/field1: \d+/.test(printed)) throw new Failure(`consumer.${kind} printed ${printed}`)
  } finally {
    publisher.kill()
    await publisher.done
    rmSync('/dev/shm/pose', { force: true })
  }
}
