// Installs and builds what is missing or stale: `node scripts/prepare.mjs [step...]`, by default all steps.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { compilerVersion, requireCargo } from './cargo.mjs'
import { Failure, main, root, runOrFail } from './run.mjs'
import { isFresh, stamp } from './stamp.mjs'

const tools = ['package.json', 'package-lock.json', 'tsconfig.json']
const core = ['Cargo.toml', 'Cargo.lock', 'crates/core/Cargo.toml', 'crates/core/src']
const examples = 'crates/core/examples'
const library = ['lib', 'index.d.ts', 'native.d.cts']

/** In the order of building; each runs `npm run build:<name>`. Of the `clean` ones nothing of deleted sources may stay. */
const steps = [
  { name: 'native', cargo: true, inputs: [...tools, ...core, 'crates/node'], outputs: addon },
  { name: 'lib', clean: true, inputs: [...tools, 'tsconfig.lib.json', 'native.d.cts', 'src'], outputs: ['lib'] },
  { name: 'examples', clean: true, inputs: [...tools, 'tsconfig.examples.json', ...library, 'examples'], outputs: ['.build/examples'] },
  { name: 'rust', cargo: true, clean: true, inputs: [...core, examples], outputs: ['.build/rust'] },
  { name: 'testing', cargo: true, clean: true, inputs: [...tools, ...core, examples, 'crates/node'], outputs: ['.build/testing'] },
  { name: 'test', clean: true, inputs: [...tools, 'tsconfig.test.json', ...library, '__test__'], outputs: ['.build/test'] },
]

function addon() {
  return ['native.cjs', 'native.d.cts', ...readdirSync(root).filter(name => name.endsWith('.node'))]
}

/** Brings the named steps up to date. Throws a `Failure` when that cannot be done. */
export async function prepare(names) {
  requireNode()
  const compiler = await compilerVersion()
  const wanted = steps.filter(step => names.includes(step.name)).map(step => (step.cargo ? { ...step, compiler } : step))
  // Asked before anything is installed, so that a missing cargo is all one sees.
  if (wanted.some(step => step.cargo && !isFresh(step))) await requireCargo()
  await install()
  for (const step of wanted) if (!isFresh(step)) await build(step)
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) throw new Failure(`Node 20.19 or newer is needed and ${process.versions.node} was found`)
}

async function install() {
  const installed = join(root, 'node_modules/.package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return
  console.error('pagecast: installing the development tools')
  // Also where NODE_ENV=production would leave them out.
  await runOrFail('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'])
}

async function build(step) {
  console.error(`pagecast: building ${step.name}`)
  if (step.clean) for (const output of step.outputs) rmSync(join(root, output), { recursive: true, force: true })
  await runOrFail('npm', ['run', '--silent', `build:${step.name}`])
  stamp(step)
}

if (process.argv[1] === import.meta.filename) {
  const names = process.argv.slice(2)
  await main(() => prepare(names.length > 0 ? names : steps.map(step => step.name)))
}
