/** Evaluated before all that needs the addon: says in one sentence why there is none. */
import binding from '#native'
import { PagecastError } from './errors.js'

/** Those that packages are published for. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64']
const SYSTEMS = 'Linux (x64 or arm64, glibc or musl) and on macOS (arm64)'

const { loadError } = binding as { loadError?: unknown }
if (loadError !== undefined) throw unloadable(loadError, `${process.platform}-${process.arch}`)

function unloadable(cause: unknown, platform: string): PagecastError {
  const causes = causesOf(cause)
  if (causes.some(({ message }) => message.includes('loading addons is disabled'))) {
    const remedy = process.execArgv.includes('--no-addons') ? 'without --no-addons' : 'with --allow-addons beside --permission'
    return failure('ERR_ADDONS_DISABLED', `pagecast is a native addon, and this process may load none: start it ${remedy}`, cause)
  }
  if (!PLATFORMS.includes(platform)) {
    const windows = process.platform === 'win32' ? ': on Windows, use it in WSL 2' : ''
    return failure('ERR_UNSUPPORTED_PLATFORM', `pagecast runs on ${SYSTEMS}, not on ${platform}${windows}`, cause)
  }
  const broken = causes.find(({ message }) => !/^Cannot find (module|native binding)/.test(message))
  if (broken !== undefined) {
    const [said = ''] = broken.message.split('\n')
    // glibc's libc.so is a text for linkers, and no library.
    const built = said.includes('libc.so: invalid ELF header') ? 'it is built for musl, and this process has glibc: ' : ''
    return failure('ERR_ADDON_UNLOADABLE', `the addon of pagecast for ${platform} does not load here: ${built}${said}`, cause)
  }
  const advice = 'install again without --omit=optional, on the system that runs it'
  return failure('ERR_ADDON_MISSING', `the package with the addon of pagecast for ${platform} is not installed: ${advice}`, cause)
}

function failure(code: string, message: string, cause: unknown): PagecastError {
  return new PagecastError(code, message, { cause })
}

/** The loader chains what went wrong at each place where it looked. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let next = error; next instanceof Error && !causes.includes(next); next = next.cause) causes.push(next)
  return causes
}
