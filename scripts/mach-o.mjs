// Reads a Mach-O file: https://github.com/apple-oss-distributions/xnu, EXTERNAL_HEADERS/mach-o/loader.h and osfmk/kern/cs_blobs.h.
import { createHash } from 'node:crypto'
import { Failure } from './run.mjs'

const MAGIC_64 = 0xfeedfacf
const CPU_ARM64 = 0x0100000c
const HEADER_BYTES = 32
const LC_SYMTAB = 0x2
const LC_LOAD_DYLIB = 0xc
const LC_ID_DYLIB = 0xd
const LC_CODE_SIGNATURE = 0x1d
const LC_BUILD_VERSION = 0x32
const SHA256 = 2
const SYSTEM_LIBRARIES = '/usr/lib/'

/** Throws a `Failure` unless it is an addon that macOS would load, as far as can be seen from outside. */
export function inspectMachO({ addon }, bytes) {
  const expect = (condition, what) => {
    if (!condition) throw new Failure(`${addon} ${what}`)
  }
  expect(bytes.readUInt32LE(0) === MAGIC_64 && bytes.readUInt32LE(4) === CPU_ARM64, 'is not for arm64')
  const commands = loadCommands(bytes)
  const find = id => commands.find(command => command.id === id)?.bytes
  for (const { id, bytes } of commands) {
    if (id === LC_LOAD_DYLIB) expect(nameIn(bytes).startsWith(SYSTEM_LIBRARIES), `needs ${nameIn(bytes)}`)
  }
  expect(nameIn(find(LC_ID_DYLIB)) === `@rpath/${addon}`, `calls itself ${nameIn(find(LC_ID_DYLIB))}`)
  expect(bytes.includes('napi_register_module_v1'), 'exports nothing to Node')
  expect(find(LC_SYMTAB).readUInt32LE(12) < 1000, 'is not stripped')
  // An arm64 Mac kills a process that touches a page whose hash is wrong.
  expect(find(LC_CODE_SIGNATURE) && isIntact(bytes, find(LC_CODE_SIGNATURE).readUInt32LE(8)), 'is not signed, or changed since')
  return [`macOS >= ${versionIn(find(LC_BUILD_VERSION))}`, 'stripped', 'signed ad hoc']
}

function loadCommands(bytes) {
  const commands = []
  let offset = HEADER_BYTES
  for (let left = bytes.readUInt32LE(16); left > 0; left--) {
    const size = bytes.readUInt32LE(offset + 4)
    commands.push({ id: bytes.readUInt32LE(offset) & 0x7fffffff, bytes: bytes.subarray(offset, offset + size) })
    offset += size
  }
  return commands
}

function nameIn(command) {
  return command.toString('utf8', command.readUInt32LE(8)).replace(/\0.*$/s, '')
}

function versionIn(command) {
  const version = command.readUInt32LE(12)
  return `${version >> 16}.${(version >> 8) & 255}`
}

/** Whether the pages are those that were signed. All numbers of a signature are big-endian. */
function isIntact(bytes, start) {
  const directory = bytes.subarray(start + bytes.readUInt32BE(start + 16))
  const [hashes, pages, limit] = [16, 28, 32].map(offset => directory.readUInt32BE(offset))
  const pageBytes = 2 ** directory[39]
  if (directory[37] !== SHA256 || limit !== start) return false
  for (let page = 0; page < pages; page++) {
    const hash = createHash('sha256')
      .update(bytes.subarray(page * pageBytes, Math.min((page + 1) * pageBytes, limit)))
      .digest()
    if (!hash.equals(directory.subarray(hashes + page * 32, hashes + (page + 1) * 32))) return false
  }
  return true
}
