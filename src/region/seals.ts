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
  const list: unknown[] = Array.isArray(seals) ? [...seals] : [undefined] // a hole is one seal that is none
  if (list.every(seal => SEALS.includes(seal as Seal))) return list as Seal[]
  throw invalid(what, 'seals', seals, `an array of ${SEALS.join(', ')}`)
}
