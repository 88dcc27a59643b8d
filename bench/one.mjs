// One case in a process of its own, so that it neither profits nor suffers from what the engine learned of another: prints its row as JSON.
import { cases } from './cases.mjs'

const [name, index, length] = process.argv.slice(2)
const options = length === 'quick' ? { rounds: 61, roundMs: 0.3, share: 0.1 } : { rounds: 401, roundMs: 0.5, share: 1 }

console.log(JSON.stringify(await cases[name][index](options)))
