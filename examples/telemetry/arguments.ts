import { parseArgs } from 'node:util'

export const USAGE = `Usage: npm start -- [options]

One process publishes this machine's telemetry 200 times a second, four follow: a live view, running statistics, a checker
and one that measures how fast it wakes up. Ctrl-C ends it.

  --seconds N       end after N seconds (default: run until Ctrl-C)
  --json            no view; print one line of JSON at the end
  --publisher WHICH typescript (default) or rust
  --name NAME       the publication's name (default: telemetry)
  --help            this text
`

export interface Options {
  /** How long to run; without it until a signal. */
  readonly seconds: number | undefined
  readonly json: boolean
  readonly publisher: 'typescript' | 'rust'
  readonly name: string
  readonly help: boolean
}

/** An option that cannot be used. */
export class UsageError extends Error {}

/** Throws a {@link UsageError}. */
export function parseArguments(args: string[]): Options {
  const { seconds, publisher, ...rest } = parse(args)
  if (publisher !== 'typescript' && publisher !== 'rust') {
    throw new UsageError(`--publisher: expected typescript or rust, given '${publisher}'`)
  }
  return { ...rest, publisher, seconds: seconds === undefined ? undefined : parseSeconds(seconds) }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        seconds: { type: 'string' },
        json: { type: 'boolean', default: false },
        publisher: { type: 'string', default: 'typescript' },
        name: { type: 'string', default: 'telemetry' },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The longest time that a timer takes, about 24 days. */
const MAX_SECONDS = 2_147_483

function parseSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text)
  if (seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw new UsageError(`--seconds: expected a number above 0 and up to ${MAX_SECONDS}, given '${text}'`)
}
