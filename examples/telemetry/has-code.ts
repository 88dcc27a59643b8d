import { PagecastError } from 'pagecast'

/** Errors are told apart by their `code`, which is the same in every release. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof PagecastError && error.code === code
}
