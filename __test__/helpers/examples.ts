import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export const run = promisify(execFile)
export const WATCHDOG = { timeout: 60_000, killSignal: 'SIGKILL' } as const

/** A block of code in a document. */
export interface Example {
  readonly language: string
  /** What is behind the language. */
  readonly label: string
  readonly code: string
  /** Whether there is nothing but an empty line between it and the one before. */
  readonly follows: boolean
}

/** All blocks of these languages, in order. */
export function examples(document: string, languages = 'ts'): Example[] {
  const text = readFileSync(join(root, document), 'utf8')
  const found = text.matchAll(new RegExp(`(^\`\`\`\\n\\n)?^\`\`\`(${languages})(?: +(\\S*))?\\n(.*?)(?=^\`\`\`$)`, 'gms'))
  return Array.from(found, ([, before, language = '', label = '', code = '']) => ({ language, label, code, follows: before !== undefined }))
}

/** Compiles them with the published types in a folder of their own, which it empties; resolves to the programs. */
export async function compile(name: string, examples: readonly Example[]): Promise<string[]> {
  const folder = join(root, '.build', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = examples.map(({ code }, index) => {
    writeFileSync(join(folder, `example-${index}.ts`), `${code}\nexport {}\n`)
    return join(folder, `example-${index}.js`)
  })
  const compilerOptions = { noEmit: false, sourceMap: false, types: ['node'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'] }))
  await run(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder], WATCHDOG)
  return files
}
