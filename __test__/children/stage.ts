// How a child process talks to its test: lines of JSON out, lines of text in.
import { writeSync } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'

/** Tells the test something, at once: also when the next step blocks or kills this process. */
export function say(event: string, facts: object = {}): void {
  writeSync(1, `${JSON.stringify({ event, ...facts })}\n`)
}

let ears: Interface | undefined
let lines: AsyncIterator<string> | undefined

/** Waits for the test's next word; `undefined` when there is nothing more to come. */
export async function cue(): Promise<string | undefined> {
  ears ??= createInterface({ input: process.stdin })
  lines ??= ears[Symbol.asyncIterator]()
  const { value, done } = await lines.next()
  return done ? undefined : value
}

/** Stops listening, so that this process may end by itself. */
export function stopListening(): void {
  ears?.close()
  process.stdin.destroy()
}

/** The code of what `action` throws; `undefined` when it does not. */
export function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
