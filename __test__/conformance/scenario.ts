// Reads scenarios: who is told what, and what it has to answer. README.md describes how they are written.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the sources: the compiler copies no text. */
const folder = fileURLToPath(new URL('../../../__test__/conformance/scenarios', import.meta.url))

export interface Scenario {
  readonly title: string
  /** It is played once with each of these. */
  readonly buffers: readonly number[]
  readonly steps: readonly Step[]
}

export interface Step {
  readonly who: string
  /** Empty: nothing is said, an answer is due. */
  readonly command: string
  /** Undefined: it takes a while to come, and `who` sleeps until then. */
  readonly answer: string | undefined
  /** Where it is written. */
  readonly place: string
}

export function readScenarios(): Scenario[] {
  return readdirSync(folder).sort().flatMap(parse)
}

function parse(file: string): Scenario[] {
  const lines = readFileSync(join(folder, file), 'utf8').split('\n')
  const scenarios: { title: string; buffers: number[]; steps: Step[] }[] = []
  for (const [index, line] of lines.entries()) {
    const place = `${file}:${index + 1}`
    if (line === '' || line.startsWith('//')) continue
    if (line.startsWith('# ')) scenarios.push({ title: line.slice(2), buffers: [1, 3], steps: [] })
    else if (line.startsWith('buffers ')) (scenarios.at(-1) ?? nowhere(place)).buffers = line.split(' ').slice(1).map(Number)
    else scenarios.at(-1)?.steps.push(parseStep(line, place))
  }
  return scenarios
}

function parseStep(line: string, place: string): Step {
  const [, who, command, answer] = /^(\w+): *(.*?) *-> (.+)$/.exec(line) ?? []
  if (who === undefined || command === undefined) throw new Error(`${place}: this is no step: ${line}`)
  return { who, command, answer: answer === '...' ? undefined : answer, place }
}

function nowhere(place: string): never {
  throw new Error(`${place}: this belongs to no scenario`)
}
