// A party of the conformance suite: it does what it is told, a command a line, and answers each with a line. README.md beside describes
// the language; crates/core/examples/party speaks the same one.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Command, FOREVER } from './command.js'
import { type Consuming, open, SampleConsumer } from './consumer.js'
import { create, type Publishing, SamplePublisher } from './publisher.js'
import { sample, sampleTold } from './value.js'

let directory = ''
let publishing: Publishing | undefined
let consuming: Consuming | undefined

async function obey(command: Command): Promise<string> {
  const name = command.option('name') ?? 'value'
  switch (command.verb) {
    case 'in':
      directory = command.word(0)
      return 'ok'
    case 'create':
      publishing = create(name, directory, command)
      return publishing.publisher.adopted ? 'adopted' : 'created'
    case 'open':
      consuming = open(name, directory, command)
      return 'opened'
    case 'close':
      return close(command.has('keep'))
    case 'rally':
      return rally(command.number(0), command.has('serves'))
    case 'reset':
      consuming?.consumer.close()
      publishing?.publisher.close()
      consuming = publishing = undefined
      return 'ok'
    default:
      return (consuming ?? publishing)?.obey(command) ?? command.unknown()
  }
}

function close(keep: boolean): string {
  if (consuming === undefined) publishing?.publisher.close({ keep })
  else consuming.consumer.close()
  consuming = undefined
  return 'ok'
}

/** Values go to and fro: each side waits for the other's before it writes the next. */
async function rally(rounds: number, serves: boolean): Promise<string> {
  if (!(publishing instanceof SamplePublisher && consuming instanceof SampleConsumer)) throw new Error('a rally is of samples')
  const { publisher } = publishing
  let round = 1
  if (serves) publisher.write(sample(round))
  for await (const value of consuming.consumer.changes({ signal: AbortSignal.timeout(FOREVER) })) {
    if (sampleTold(value) !== `${round} 0`) throw new Error(`${sampleTold(value)} came in round ${round}`)
    if (!serves) publisher.write(sample(round))
    round += 1
    if (round > rounds) break
    if (serves) publisher.write(sample(round))
  }
  return `${rounds} rounds`
}

async function answerTo(line: string): Promise<string> {
  try {
    return await obey(new Command(line))
  } catch (error) {
    return (error as { code?: string }).code ?? `failed: ${error}`
  }
}

// At once, also when the next command blocks this process or kills it.
for await (const line of createInterface({ input: process.stdin })) writeSync(1, `${await answerTo(line)}\n`)
