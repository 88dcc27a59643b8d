// Runs into a limit of the system, again and again, and tells what became of it.
//
//   no-room.js DIRECTORY descriptors|address-space|copies|permission
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { bytes, Consumer, Publisher } from 'pagecast'
import { holdings } from '../helpers/holdings.js'
import { Pose, pose } from '../helpers/pose.js'
import { say } from './stage.js'

const [directory = '', limit = ''] = process.argv.slice(2)
const options = { directory, timeout: 0 }

type Attempt = () => Disposable | Promise<Disposable>

const attempts: Record<string, Attempt> = {
  create: () => Publisher.create('new', Pose, { directory }),
  adopt: () => Publisher.create('left', Pose, { directory }),
  replace: () => Publisher.create('left', bytes(8), { directory, ifDead: 'replace' }),
  standby: () => Publisher.standby('new', Pose, options),
  'standby for a living one': () => Publisher.standby('pose', Pose, options),
  open: () => Consumer.open('pose', Pose, { directory }),
  'open, readOnly': () => Consumer.open('pose', Pose, { directory, readOnly: true }),
  openDynamic: () => Consumer.openDynamic('pose', { directory }),
  waitAndOpen: () => Consumer.waitAndOpen('pose', Pose, options),
}

/** `undefined` when it succeeds. */
async function refusalOf(attempt: Attempt): Promise<{ code: string; message: string } | undefined> {
  try {
    const made = await attempt()
    if (made instanceof Publisher) made.close({ keep: made.name === 'left' })
    else made[Symbol.dispose]()
    return undefined
  } catch (error) {
    const { code, message } = error as Error & { code: string }
    return { code, message }
  }
}

/** Once, for what the engine opens once and for all; then again, with what this process holds before and after. */
async function tryIt(name: string, attempt: Attempt): Promise<void> {
  await refusalOf(attempt)
  const before = holdings(directory)
  say('tried', { name, ...(await refusalOf(attempt)), before, after: holdings(directory) })
}

/** All descriptors that there are. */
function hoard(): number[] {
  const taken: number[] = []
  for (;;) {
    try {
      taken.push(openSync('/dev/null', 'r'))
    } catch (error) {
      if ((error as { code?: string }).code === 'EMFILE') return taken
      throw error
    }
  }
}

/** With no descriptor left, with one, with two, until it succeeds. After each failure there are as many as before. */
async function runOutOfDescriptors(name: string, attempt: Attempt): Promise<void> {
  const taken = hoard()
  const codes: (string | undefined)[] = []
  let lost = 0
  for (let free = 0; ; free++) {
    const refusal = await refusalOf(attempt)
    codes.push(refusal?.code)
    if (refusal === undefined || free === taken.length) break
    const left = hoard()
    lost += free - left.length
    for (const descriptor of left) closeSync(descriptor)
    closeSync(taken[free] as number)
  }
  for (const descriptor of taken.slice(codes.length - 1)) closeSync(descriptor)
  say('tried', { name, codes, lost })
}

/** The only segment that there is room for is in use. */
async function crowdAddressSpace(): Promise<void> {
  using first = Publisher.create('first', Pose, { directory, init: pose(1) })
  for (const [name, attempt] of Object.entries(attempts)) await tryIt(name, attempt)
  first.write(pose(2))
  say('wrote', { totalWrites: first.totalWrites })
}

const limits: Record<string, () => Promise<void>> = {
  descriptors: async () => {
    for (const [name, attempt] of Object.entries(attempts)) {
      if (name === 'standby for a living one') continue // it has what it needs, and waits
      await refusalOf(attempt) // what the engine opens once and for all is open by now
      await runOutOfDescriptors(name, attempt)
    }
  },

  'address-space': async () => {
    await crowdAddressSpace()
    await turn() // nothing on the stack holds on to it any more
    say('again', { ...(await refusalOf(() => Publisher.create('second', Pose, { directory }))) })
  },

  copies: async () => {
    const byteLength = 2 ** 25
    const numberIn = (file: string, line: RegExp) => Number(line.exec(readFileSync(`/proc/self/${file}`, 'utf8'))?.[1])
    const limit = numberIn('limits', /^Max address space +(\d+)/m)
    const taken = numberIn('status', /^VmSize:\s+(\d+)/m) * 1024
    // the segment finds room, a copy beside it does not, whatever the engine takes or gives back meanwhile
    const hoarded = new ArrayBuffer(limit - taken - 1.5 * byteLength)
    await tryIt('open, readOnly', () => Consumer.open('large', bytes(byteLength), { directory, readOnly: true }))
    say('tried', { name: 'hoard', byteLength: hoarded.byteLength })
  },

  permission: async () => {
    if (process.getuid?.() === 0) process.setuid?.(65534) // who owns nothing
    for (const [name, attempt] of Object.entries(attempts)) await tryIt(name, attempt)
  },
}

await limits[limit]?.()
say('done')
