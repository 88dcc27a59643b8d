// `npm run hammer:writers -- [--seconds N] [--seed S] [--overlap] [--json]`: eight processes, in TypeScript and in Rust, own adjacent fields of one region,
// which lie in the same words and cache lines. Each writes its own flat out, in every way that there is, and looks whether they hold what it
// wrote last. It fails if anybody's bytes were ever disturbed: if a store was wider than what it stores.
//
// With `--overlap`, the control, two of them own the same byte: then it fails unless they notice.
//
// What it prints, with `--json` as one line of JSON:
//
//   seconds, seed    what was asked for
//   processes        writers, of which every other one is in Rust
//   fields           that they own together
//   writes           of whole fields
//   checks           of whole fields, and those of all at the end
//   disturbed        of these: the field did not hold what its owner wrote last; at the end also bytes that nobody owns and are not 0
//   failures         what writers said that did not end well
import { parseArgs } from 'node:util'
import { WritersContest } from './writers-contest.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    overlap: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const { overlap } = values
const [seconds, seed] = [values.seconds, values.seed].map(Number)
if (![seconds, seed].every(number => Number.isFinite(number) && number > 0)) {
  console.error('pagecast: --seconds and --seed are numbers above 0')
  process.exit(1)
}

const report = { seconds, seed, ...(await new WritersContest({ seed, overlap }).play(seconds)) }
if (values.json) console.log(JSON.stringify(report))
else for (const [key, value] of Object.entries(report)) console.log(`${key.padEnd(16)} ${value}`)
const { writes, checks, disturbed, failures } = report
process.exitCode = failures.length === 0 && writes > 0 && checks > 0 && disturbed > 0 === overlap ? 0 : 1
