// Maps the object behind descriptor 3, counts the integer at its beginning up, and says what it was.
//
//   region-counter.js TO
import { Region } from 'pagecast'
import { say } from './stage.js'

const to = BigInt(process.argv[2] ?? '')
using region = Region.map({ source: { fd: 3 } })
const value = region.view(BigInt64Array, 0, 1)
const [was = 0n] = value
for (let next = was; next <= to; next++) value[0] = next
say('counted', { was: String(was) })
