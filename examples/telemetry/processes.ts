import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Publisher } from 'pagecast'
import type { Options } from './arguments.js'
import { Child } from './child-process.js'
import { Telemetry } from './telemetry.js'

const rustPublisher = fileURLToPath(new URL('../../rust/telemetry', import.meta.url))

/** One of the programs beside this file. */
function startScript(name: string, script: string, args: string[], stdout: 'inherit' | 'ignore' = 'ignore'): Child {
  const file = fileURLToPath(new URL(`${script}.js`, import.meta.url))
  return new Child(name, process.execPath, [file, ...args], stdout)
}

export function startConsumers({ name, json }: Options): Child[] {
  const view = json ? startScript('view', 'view', [name]) : startScript('view', 'view', [name, '--visible'], 'inherit')
  return [view, ...['statistics', 'checker', 'waker'].map(script => startScript(script, script, [name]))]
}

/** Throws when there is nothing to start. */
export function checkPublisher({ publisher }: Options): void {
  if (publisher === 'rust' && !existsSync(rustPublisher)) throw new Error(`there is no ${rustPublisher}: npm run build:rust makes it`)
}

export function startPublisher({ name, publisher }: Options): Child {
  if (publisher === 'rust') return new Child('publisher', rustPublisher, [name], 'pipe')
  return startScript('publisher', 'publisher', [name])
}

/**
 * A publisher that was killed leaves its segment to a successor: being one and closing takes it away.
 * Throws while there is a living publisher of that name.
 */
export function takeAway(name: string): void {
  Publisher.create(name, Telemetry, { ifDead: 'replace' }).close()
}
