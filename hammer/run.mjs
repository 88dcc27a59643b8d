// `npm run hammer -- [--seconds N] [--seed S] [--rate KILLS] [--json]`: a publisher, one that stands by for it, and eight consumers, in
// Rust and in TypeScript, of which one after the other is killed wherever it happens to be and started again. Half of the time there are three
// buffers, half of the time one. It fails if anything was torn, went backwards or was left behind, or if anybody ended by himself.
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
const { torn, backwards, leakedSlots, leakedFiles, failures, kills, takeovers } = report
process.exitCode = torn + backwards + leakedSlots + leakedFiles + failures.length > 0 || kills === 0 || takeovers === 0 ? 1 : 0

function longest(key) {
  return Math.round(10 * Math.max(...results.map(result => result[key]))) / 10
}

function total(key) {
  return results.reduce((sum, result) => sum + result[key], 0)
}
