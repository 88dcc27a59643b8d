import { readFileSync } from 'node:fs'
import { PAGE_SIZE, type PagecastError, Region } from 'pagecast'
import { cut, fileOf, pattern, usesOf } from './region.js'

// What happens to memory is told by facts, so that the same can be played in a worker and compared by the test.

export type Facts = Record<string, unknown>

const codeOf = (use: () => unknown): string => {
  try {
    use()
    return 'none'
  } catch (error) {
    return (error as PagecastError).code ?? String(error)
  }
}

const codesOf = (region: Region): string[] => [...new Set(usesOf(region).map(codeOf))]

const first = pattern(1)[0]

function readOnly(directory: string): Facts {
  const file = fileOf(directory, pattern(2 * PAGE_SIZE), 'read-only')
  using region = Region.map({ source: { file }, access: 'r' })
  using other = Region.map({ source: { file } })
  const { bytes } = region
  bytes[0] = 250
  bytes[PAGE_SIZE] = 251
  const codes = [codeOf(() => region.tell()), codeOf(() => region.tell())]
  return {
    codes,
    seen: [bytes[0] === first, bytes[PAGE_SIZE] === pattern(PAGE_SIZE + 1)[PAGE_SIZE]],
    others: [other.bytes[0] === first, readFileSync(file)[0] === first],
    write: codeOf(() => region.write(Uint8Array.of(1))),
    again: [codeOf(() => bytes.fill(250, 1, 2)), codeOf(() => region.bytes), codeOf(() => region.bytes)],
    access: region.access,
  }
}

function readOnlyShared(directory: string): Facts {
  const file = fileOf(directory, pattern(65_536), 'read-only-shared')
  using region = Region.map({ source: { file }, access: 'r' })
  const words = new Int32Array(region.sharedBuffer)
  Atomics.add(words, 0, 1)
  return {
    codes: [codeOf(() => region.tell()), codeOf(() => region.tell())],
    seen: [words[0] === region.view(Int32Array)[0], readFileSync(file)[0] === first],
  }
}

function noAccess(directory: string): Facts {
  const file = fileOf(directory, pattern(PAGE_SIZE), 'no-access')
  using region = Region.map({ source: { file }, access: 'none' })
  const { bytes } = region
  const quiet = codeOf(() => region.tell())
  void bytes[0]
  const codes = [codeOf(() => region.tell()), codeOf(() => region.tell())]
  const calls = [codeOf(() => region.read()), codeOf(() => region.write(Uint8Array.of(1)))]
  region.pages.protect('r')
  return { quiet, codes, calls, seen: bytes[0] === first }
}

function truncated(directory: string, left: number): Facts {
  const file = fileOf(directory, pattern(3 * 65_536), 'truncated')
  using other = Region.map({ size: 100 })
  other.bytes.fill(5)
  const region = Region.map({ source: { file } })
  const { bytes } = region
  const shared = new Uint8Array(region.sharedBuffer)
  bytes[0] = 1
  cut(file, left)
  const sums = [bytes, shared].map(view => view.subarray(2 * 65_536).reduce((sum, byte) => sum + byte, 0))
  const codes = codesOf(region)
  cut(file, 3 * 65_536)
  const later = codesOf(region)
  region.close()
  return { sums, codes, later, closed: region.closed, other: other.read().every(byte => byte === 5), length: bytes.length }
}

/** One that nothing was read of meanwhile: it was whole when it was looked at, so that the call itself has to see it. */
function untouched(directory: string): Facts {
  const file = fileOf(directory, pattern(2 * PAGE_SIZE), 'untouched')
  const region = Region.map({ source: { file } })
  cut(file, PAGE_SIZE)
  const codes = [codeOf(() => region.read()), codeOf(() => region.tell()), codeOf(() => region.write(Uint8Array.of(1)))]
  region.close()
  return { codes, length: readFileSync(file).length }
}

/** Nothing faults, as the page is still there. */
function cutWithinPage(directory: string): Facts {
  const file = fileOf(directory, pattern(2 * PAGE_SIZE), 'within')
  const region = Region.map({ source: { file } })
  cut(file, 2 * PAGE_SIZE - 10)
  const codes = [codeOf(() => region.bytes), codeOf(() => region.read()), codeOf(() => region.tell())]
  region.close()
  return { codes }
}

function written(directory: string): Facts {
  const file = fileOf(directory, pattern(2 * PAGE_SIZE), 'written')
  const region = Region.map({ source: { file } })
  cut(file, 0)
  const code = codeOf(() => region.write(pattern(2 * PAGE_SIZE)))
  region.close()
  return { code, length: readFileSync(file).length }
}

export const faults: Record<string, (directory: string) => Facts> = {
  'a write where one may only read': readOnly,
  'a write to a shared buffer where one may only read': readOnlyShared,
  'a page that must not be touched': noAccess,
  'a file of which nothing is left': directory => truncated(directory, 0),
  'a file of which a page is left': directory => truncated(directory, PAGE_SIZE),
  'a file that is cut before a read': untouched,
  'a file that is cut before a write': written,
  'a file that is cut within a page': cutWithinPage,
}

const lost = {
  sums: [0, 0],
  codes: ['ERR_TRUNCATED'],
  later: ['ERR_TRUNCATED'],
  closed: true,
  other: true,
  length: 0,
}

export const expectations: Record<string, Facts> = {
  'a write where one may only read': {
    codes: ['ERR_READ_ONLY', 'none'],
    seen: [true, true],
    others: [true, true],
    write: 'ERR_READ_ONLY',
    again: ['none', 'ERR_READ_ONLY', 'none'],
    access: 'r',
  },
  'a write to a shared buffer where one may only read': { codes: ['ERR_READ_ONLY', 'none'], seen: [true, true] },
  'a page that must not be touched': {
    quiet: 'none',
    codes: ['ERR_NO_ACCESS', 'none'],
    calls: ['ERR_NO_ACCESS', 'ERR_NO_ACCESS'],
    seen: true,
  },
  'a file of which nothing is left': lost,
  'a file of which a page is left': lost,
  'a file that is cut before a read': { codes: ['ERR_TRUNCATED', 'ERR_TRUNCATED', 'ERR_TRUNCATED'], length: PAGE_SIZE },
  'a file that is cut within a page': { codes: ['ERR_TRUNCATED', 'ERR_TRUNCATED', 'ERR_TRUNCATED'] },
  'a file that is cut before a write': { code: 'ERR_TRUNCATED', length: 0 },
}
