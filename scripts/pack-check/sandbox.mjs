// Empty folders far from the repository, where nothing but node and npm is on the PATH.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Failure } from '../run.mjs'

const MINUTE = 60_000

export class Sandbox {
  #home = mkdtempSync(join(tmpdir(), 'pagecast-pack-check-'))
  #env

  constructor(registry) {
    const bin = this.folder('bin')
    symlinkSync(process.execPath, join(bin, 'node'))
    symlinkSync(npmOnPath(), join(bin, 'npm'))
    const npm = { npm_config_registry: registry, npm_config_cache: join(this.#home, 'cache'), npm_config_update_notifier: 'false' }
    this.#env = { PATH: bin, HOME: this.#home, ...npm }
  }

  folder(name) {
    const path = join(this.#home, name)
    mkdirSync(path)
    return path
  }

  /** Installs pagecast into a new folder; resolves to the folder. */
  async install(name, options = []) {
    const folder = this.folder(name)
    await this.run(folder, 'npm', ['install', 'pagecast', '--no-audit', '--no-fund', ...options])
    return folder
  }

  /** Resolves to what it printed. Throws a `Failure` when it fails, or is not done within a minute. */
  async run(folder, command, args, options) {
    const { done } = this.start(folder, command, args, options)
    const { code, stdout, stderr } = await done
    if (code !== 0) throw new Failure(`${[command, ...args].join(' ')} failed (${code}): ${stderr.trim() || stdout.trim()}`)
    return stdout
  }

  /** Starts a command; `done` resolves when it has ended. */
  start(folder, command, args) {
    const child = spawn(command, args, { cwd: folder, env: this.#env, timeout: MINUTE, killSignal: 'SIGKILL' })
    const printed = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr']) {
      child[stream].setEncoding('utf8').on('data', text => {
        printed[stream] += text
      })
    }
    const done = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ code: code ?? signal, ...printed }))
    })
    return { done, kill: () => child.kill('SIGKILL') }
  }

  remove() {
    rmSync(this.#home, { recursive: true, force: true })
  }
}

/** The packages that were installed into a folder, without what begins with a dot. */
export function installedIn(folder) {
  return readdirSync(join(folder, 'node_modules'))
    .filter(name => !name.startsWith('.'))
    .sort()
}

function npmOnPath() {
  for (const folder of process.env.PATH.split(delimiter)) {
    try {
      return realpathSync(join(folder, 'npm'))
    } catch {
      // Not there.
    }
  }
  throw new Failure('npm is not on the PATH')
}
