import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Publisher } from 'pagecast'
import type { Options } from './arguments.js'
import { Child } from './child-process.js'
import { Telemetry } from './telemetry.js'

/** Compiled, this file lies in .build/examples/telemetry. */
const root = fileURLToPath(new URL('../../../', import.meta.url))
const rustPublisher = `${root}target/release/examples/telemetry`

/** One of the programs beside this file. */
function startScript(name: string, script: string, args: string[], stdout: 'inherit' | 'ignore' = 'ignore'): Child {
  const file = fileURLToPath(new URL(`${script}.js`, import.meta.url))
  return new Child(name, process.execPath, [file, ...args], stdout)
}

export function startConsumers({ name, json }: Options): Child[] {
  const view = json ? startScript('view', 'view', [name]) : startScript('view', 'view', [name, '--visible'], 'inherit')
  return [view, ...['statistics', 'checker', 'waker'].map(script => startScript(script, script, [name]))]
}

export function startPublisher({ name, publisher }: Options): Child {
  if (publisher === 'rust') return new Child('publisher', rustPublisher, [name], 'pipe')
  return startScript('publisher', 'publisher', [name])
}

/** Cargo knows what is missing or stale. Throws when there is nothing to start. */
export function buildRustPublisher(): void {
  const args = ['build', '--quiet', '--release', '--package', 'pagecast', '--example', 'telemetry', '--target-dir', 'target']
  const { status, error } = spawnSync('cargo', args, { cwd: root, stdio: ['ignore', 2, 2] })
  if (status === 0 || (error !== undefined && existsSync(rustPublisher))) return
  throw new Error(
    error === undefined ? 'the Rust publisher does not build' : `the Rust publisher needs cargo to be built: ${error.message}`,
  )
}

/**
 * A publisher that was killed leaves its segment to a successor: being one and closing takes it away.
 * Throws while there is a living publisher of that name.
 */
export function takeAway(name: string): void {
  Publisher.create(name, Telemetry, { ifDead: 'replace' }).close()
}
