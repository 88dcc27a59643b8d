// Tells whether a build is up to date: a stamp file holds the hash of all that went in and all that came out, and which compiler made it.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './run.mjs'

/** Whether `step` was built from these inputs, by this compiler, and its outputs are as it left them. Where no compiler is found, any was right. */
export function isFresh(step) {
  const path = stampPath(step)
  if (!existsSync(path)) return false
  const [hash, ...compiler] = readFileSync(path, 'utf8').split('\n')
  return hash === digest(step) && (!step.compiler || step.compiler === compiler.join('\n'))
}

/** Notes that `step` is built. */
export function stamp(step) {
  mkdirSync(dirname(stampPath(step)), { recursive: true })
  writeFileSync(stampPath(step), `${digest(step)}\n${step.compiler ?? ''}`)
}

function stampPath({ name }) {
  return join(root, '.build', 'stamps', name)
}

function digest({ inputs, outputs }) {
  const hash = createHash('sha256').update(`${process.platform}-${process.arch}\0`)
  for (const path of [...inputs, ...(typeof outputs === 'function' ? outputs() : outputs)]) {
    for (const file of filesUnder(join(root, path))) hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
    hash.update('\0')
  }
  return hash.digest('hex')
}

/** The file itself, or all files below the directory, or nothing. */
function filesUnder(path) {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isDirectory()) return stats ? [path] : []
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}
