import { tmpdir } from 'node:os'
import { checkBoolean, checkDirectory, checkId, checkInteger, checkLabel, checkName, checkOptions, invalid } from '../arguments.js'
import type { NativeMapOptions } from '../native.js'
import { descriptorOf } from '../shareable.js'
import { checkPath } from './checks.js'
import { checkSeals, type Seal } from './seals.js'
import { handles, type SharedHandle } from './shared-handle.js'
import { segmentIds } from './sysv-handle.js'

/** A source as the native part takes it, and what else it means. */
export interface Origin extends Pick<NativeMapOptions, 'kind' | 'path' | 'directory' | 'fd' | 'id' | 'create' | 'mode'> {
  /** What it is called in messages. */
  readonly subject: string
  /** Whether it is made by the mapping, and has no length before. */
  readonly isFresh: boolean
  /** Whether its room is taken unless the caller says otherwise. */
  readonly isReserved: boolean
  /** Whether it was opened for reading only. */
  readonly isReadOnly?: boolean
  /** What it is sealed against once it is mapped. */
  readonly seals?: readonly Seal[]
}

const EXPECTED =
  "'anonymous', 'memfd', 'temporary', { memfd }, { temporary }, { file }, { shm }, { fd }, { sysv }, a SharedMemory, a SysVSharedMemory or a Descriptor"

/** Throws unless it is one of the sources that there are. */
export function originOf(source: unknown): Origin {
  if (source === undefined || source === 'anonymous') return fresh('anonymous')
  if (source === 'memfd') return { ...fresh('memfd'), isReserved: true }
  if (source === 'temporary') return temporaryIn(tmpdir())
  if (typeof source !== 'object' || source === null) throw invalid('map', 'source', source, EXPECTED)
  const segment = segmentIds.get(source)
  if (segment !== undefined) return ofSegment(segment)
  const handle = handles.get(source)
  return handle === undefined ? ofObject(source) : ofShared(handle)
}

function fresh(kind: string): Origin {
  return { kind, subject: kind === 'anonymous' ? 'anonymous memory' : `a ${kind} file`, isFresh: true, isReserved: false }
}

function temporaryIn(directory: string): Origin {
  return { ...fresh('temporary'), subject: `a temporary file in ${directory}`, path: directory }
}

function ofShared(handle: SharedHandle): Origin {
  const subject = handle.name
  const fd = handle.descriptor('map')
  return {
    kind: 'fd',
    subject,
    fd,
    ...handle.named,
    isFresh: false,
    isReserved: handle.writable && handle.reserve,
    isReadOnly: !handle.writable,
  }
}

function ofSegment(id: number): Origin {
  return { kind: 'sysv', subject: `SysV segment ${id}`, id, isFresh: false, isReserved: false }
}

const kinds: Record<string, (source: object) => Origin> = {
  memfd: source => {
    const { memfd, seals } = checkOptions<MemorySource>('map source', source as MemorySource, ['memfd', 'seals'])
    const made = { ...fresh('memfd'), path: checkLabel('map', 'source.memfd', memfd), isReserved: true }
    return seals === undefined ? made : { ...made, seals: checkSeals('map source', seals) }
  },
  temporary: source => {
    const { temporary } = checkOptions<{ temporary: unknown }>('map source', source as { temporary: unknown }, ['temporary'])
    return temporaryIn(checkPath('map', 'source.temporary', temporary))
  },
  file: source => ofFile(source as FileSource),
  shm: source => ofName(source as NameSource),
  fd: source => {
    const { fd } = checkOptions<{ fd: unknown }>('map source', source as { fd: unknown }, ['fd'])
    const descriptor = descriptorOf('map', 'source.fd', fd)
    return { kind: 'fd', subject: `descriptor ${descriptor}`, fd: descriptor, isFresh: false, isReserved: false }
  },
  sysv: source => {
    const { sysv } = checkOptions<{ sysv: unknown }>('map source', source as { sysv: unknown }, ['sysv'])
    return ofSegment(checkId('map', 'source.sysv', sysv))
  },
}

function ofObject(source: object): Origin {
  const kind = Object.keys(kinds).find(key => Object.hasOwn(source, key))
  if (kind === undefined) throw invalid('map', 'source', source, EXPECTED)
  return (kinds[kind] as (source: object) => Origin)(source)
}

interface MemorySource {
  memfd: unknown
  seals?: unknown
}

interface FileSource {
  file: unknown
  create?: unknown
  mode?: unknown
}

function ofFile(source: FileSource): Origin {
  const { file, create, mode } = checkOptions<FileSource>('map source', source, ['file', 'create', 'mode'])
  const path = checkPath('map', 'source.file', file)
  const what = `map ${path}`
  const choices = { create: checkBoolean(what, 'source.create', create) ?? false, mode: checkInteger(what, 'source.mode', mode, 0, 0o777) }
  return { kind: 'file', subject: path, path, ...choices, isFresh: false, isReserved: false }
}

interface NameSource {
  shm: unknown
  directory?: unknown
}

function ofName(source: NameSource): Origin {
  const { shm, directory } = checkOptions<NameSource>('map source', source, ['shm', 'directory'])
  const name = checkName('map', shm)
  const place = checkDirectory(`map ${name}`, directory)
  return { kind: 'shm', subject: name, path: name, directory: place, isFresh: false, isReserved: true }
}
