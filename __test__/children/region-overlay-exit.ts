// A process that ends while it has arrays over which a file is mapped.
//
//   region-overlay-exit.js FILE return|exit|throw
import { PAGE_SIZE, Region } from 'pagecast'
import { arrayFor } from '../helpers/overlay.js'
import { say } from './stage.js'

const [file = '', end = ''] = process.argv.slice(2)
for (let index = 0; index < 50; index++) Region.overlay(arrayFor((2 * PAGE_SIZE) << (index % 6)), { source: { file }, size: PAGE_SIZE })
const overlay = Region.overlay(arrayFor(1 << 20), { source: { file }, size: PAGE_SIZE })
say('overlaid', { first: overlay.bytes[0] })
if (end === 'exit') process.exit()
if (end === 'throw') throw new Error('the end')
