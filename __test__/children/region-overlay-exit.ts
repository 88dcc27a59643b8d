// A process that ends while it has arrays over which a file is mapped; or makes the file, if it can map one over an array.
//
//   region-overlay-exit.js FILE return|exit|throw|create
import { PAGE_SIZE, Region } from 'pagecast'
import { arrayFor } from '../helpers/overlay.js'
import { codeOf, say } from './stage.js'

const [file = '', end = ''] = process.argv.slice(2)

function create(): void {
  const code = codeOf(() => Region.overlay(arrayFor(2 * PAGE_SIZE), { source: { file, create: true } }))
  say(code === undefined ? 'overlaid' : 'refused', { code })
}

function share(): void {
  const overlay = (byteLength: number) => Region.overlay(arrayFor(byteLength), { source: { file }, size: PAGE_SIZE })
  for (let index = 0; index < 50; index++) overlay((2 * PAGE_SIZE) << (index % 6))
  say('overlaid', { first: overlay(1 << 20).bytes[0] })
}

if (end === 'create') create()
else share()
if (end === 'exit') process.exit()
if (end === 'throw') throw new Error('the end')
