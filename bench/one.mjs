// One bench in a process of its own, so that none profits or suffers from what the engine learned of another: prints JSON lines.
import { attach } from './attach.mjs'
import { readInto, write } from './bytes.mjs'
import { fairness } from './fairness.mjs'
import { readLock, readStruct, writeStruct } from './structs.mjs'
import { wake } from './wake.mjs'

const benches = { readInto, readLock, readStruct, write, writeStruct, wake, attach, fairness }
const [name, length] = process.argv.slice(2)
const options = length === 'quick' ? { rounds: 61, roundMs: 0.3, share: 0.1 } : { rounds: 401, roundMs: 0.5, share: 1 }

for (const row of await benches[name](options)) console.log(JSON.stringify(row))
