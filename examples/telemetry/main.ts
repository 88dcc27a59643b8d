/** The main job: one publisher of this machine's telemetry and four consumers, each a process of its own. */
import { type Options, parseArguments, USAGE, UsageError } from './arguments.js'
import { checkPublisher, takeAway } from './processes.js'
import { describe, isComplete, resultOf } from './result.js'
import { type Run, runProcesses } from './run.js'
import { LEAVE_SCREEN } from './screen.js'

try {
  const options = parseArguments(process.argv.slice(2))
  if (options.help) process.stdout.write(USAGE)
  else await main(options)
} catch (error) {
  complain((error as Error).message)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

async function main(options: Options): Promise<void> {
  checkPublisher(options)
  takeAway(options.name)
  const run = await runProcesses(options)
  if (run.publisher.failure !== undefined) takeAway(options.name)
  if (!options.json && run.consumers[0].failure !== undefined) leaveScreen()
  reportFailures(run)
  if (!isComplete(run)) return complain('there are no figures: it ended before everybody was at work')
  const result = resultOf(options.publisher, run)
  if (result.torn > 0 || result.backwards > 0) process.exitCode = 1
  console.log(options.json ? JSON.stringify(result) : describe(result))
}

function reportFailures({ publisher, consumers, early }: Run): void {
  for (const { name, failure, errors } of [publisher, ...consumers]) {
    process.stderr.write(errors)
    if (failure !== undefined) complain(`${name}: ${failure}`)
  }
  if (early !== undefined) complain(`${early.name} was the first to end, and nobody had told it to`)
  if ([publisher, ...consumers].some(({ failure }) => failure !== undefined) || early !== undefined) process.exitCode = 1
}

/** For a view that could not do so itself any more. */
function leaveScreen(): void {
  if (process.stdout.isTTY) process.stdout.write(LEAVE_SCREEN)
}

function complain(message: string): void {
  console.error(`telemetry: ${message}`)
}
