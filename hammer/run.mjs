// `npm run hammer -- [--seconds N] [--seed S] [--rate KILLS] [--json]`: a publisher, one that stands by for it, and eight consumers, in
// Rust and in TypeScript, of which one after the other is killed wherever it happens to be and started again. Half of the time there are three
// buffers, half of the time one. It fails if anything was torn, went backwards or was left behind, if anybody ended by himself, or if somebody was stuck.
//
// What it prints, with `--json` as one line of JSON:
//
//   seconds, seed    what was asked for
//   kills            processes that were killed by SIGKILL, and `killsPerSecond`
//   takeovers        publishers that took the publication over from one that was killed
//   valuesRead       values that the consumers read
//   torn             of these: the checksum or the number is not that of one write
//   backwards        of these: older than one that the same consumer had read
//   longestStallMs   the longest that a consumer saw no newer value, that nobody published, or that one write took
//   machineStallMs   how long a bystander that shares nothing stood still: the machine's doing, and a part of any stall
//   leakedSlots      slots that no consumer could have when all had been killed
//   leakedFiles      what was left in the directory beside the publication, and after its close
//   failures         what parties that were not killed said at their end, and what did not work afterwards
import { parseArgs } from 'node:util'
import { Contest } from './contest.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '25' },
    json: { type: 'boolean', default: false },
  },
})
const [seconds, seed, rate] = [values.seconds, values.seed, values.rate].map(Number)
if (![seconds, seed, rate].every(number => Number.isFinite(number) && number > 0)) {
  console.error('pagecast: --seconds, --seed and --rate are numbers above 0')
  process.exit(1)
}

/** Exclusion, and values that nobody waits for. */
const BUFFERS = [3, 1]

/** Nobody is kept so long by a machine that is merely busy, only by one that stands still, a takeover that fails or a wake-up that is lost. */
const STUCK_MS = 2000

const results = []
for (const buffers of BUFFERS) results.push(await new Contest({ buffers, rate, seed: seed + buffers }).play(seconds / BUFFERS.length))
const report = {
  seconds,
  seed,
  kills: total('kills'),
  killsPerSecond: Math.round((10 * total('kills')) / seconds) / 10,
  takeovers: total('takeovers'),
  valuesRead: total('valuesRead'),
  torn: total('torn'),
  backwards: total('backwards'),
  longestStallMs: longest('longestStallMs'),
  machineStallMs: longest('machineStallMs'),
  leakedSlots: total('leakedSlots'),
  leakedFiles: total('leakedFiles'),
  failures: results.flatMap(({ failures }) => failures),
}
if (values.json) console.log(JSON.stringify(report))
else for (const [key, value] of Object.entries(report)) console.log(`${key.padEnd(16)} ${value}`)
const { torn, backwards, leakedSlots, leakedFiles, failures, kills, takeovers, longestStallMs, machineStallMs } = report
const isSound = torn + backwards + leakedSlots + leakedFiles + failures.length === 0 && longestStallMs < STUCK_MS + machineStallMs
process.exitCode = isSound && kills > 0 && takeovers > 0 ? 0 : 1

function longest(key) {
  return Math.round(10 * Math.max(...results.map(result => result[key]))) / 10
}

function total(key) {
  return results.reduce((sum, result) => sum + result[key], 0)
}
