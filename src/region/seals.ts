import { invalid } from '../arguments.js'

/**
 * What nobody may do to a memfd any more (memfd_create(2), fcntl(2) `F_ADD_SEALS`). Seals are added, and never taken away.
 *
 * - `'shrink'`, `'grow'`: make it shorter, longer.
 * - `'write'`: change its bytes. Refused with `ERR_BUSY` while anybody has it mapped to be written, this region included.
 * - `'future-write'`: change its bytes, but through what is mapped already: whoever made it goes on writing, and whoever gets it can only read.
 * - `'seal'`: add more seals.
 */
export type Seal = 'seal' | 'shrink' | 'grow' | 'write' | 'future-write'

const SEALS: readonly Seal[] = ['seal', 'shrink', 'grow', 'write', 'future-write']

export function checkSeals(what: string, seals: unknown): Seal[] {
  const isList = Array.isArray(seals) && seals.every(seal => SEALS.includes(seal))
  if (isList) return [...seals]
  throw invalid(what, 'seals', seals, `an array of ${SEALS.join(', ')}`)
}
