// Programs that start a runtime which this machine cannot start by itself.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../run.mjs'

/** Writes a program that runs `command` with its own arguments behind it; resolves to its path. */
export function writeWrapper(name, command) {
  const folder = join(root, '.build/matrix')
  const path = join(folder, `run-${name}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, `#!/bin/sh\nexec ${command.map(quoted).join(' ')} "$@"\n`)
  chmodSync(path, 0o755)
  return path
}

function quoted(word) {
  return `'${word.replaceAll("'", "'\\''")}'`
}
