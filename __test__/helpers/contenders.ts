import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Child } from './child.js'
import type { Scene } from './scene.js'

export const languages = ['typescript', 'rust'] as const
export type Language = (typeof languages)[number]

/** Two processes that want the same value, and how. */
export interface Contest {
  readonly publisher: Language
  readonly consumer: Language
  readonly buffers: number
  readonly byteLength: number
  readonly seconds: number
  /** False: both sides ignore each other, the negative control. */
  readonly exclusion: boolean
  /** Whether the consumer is a read-only one, which copies without a pin. */
  readonly copy?: boolean
  /** Options of node itself. */
  readonly nodeArguments?: readonly string[]
}

/** What came of it. */
export interface Findings {
  readonly writes: number
  readonly reads: number
  readonly torn: number
  readonly mislabelled: number
  readonly backwards: number
  /** Attempts that met the other side, of the publisher and of the consumer: refused because of it, or disturbed by it. */
  readonly contended: number
}

const built = fileURLToPath(new URL('../../testing/', import.meta.url))
const { PAGECAST_TESTING_ADDON: addon = join(built, 'pagecast.node'), PAGECAST_TESTING_EXAMPLES: examples = built } = process.env

/** Both sides of a contest are built with the feature `testing`, so that the control differs from the test in nothing but its switch. */
export async function contend(scene: Scene, contest: Contest): Promise<Findings> {
  scene.doing(JSON.stringify(contest))
  const consumer = start(scene, contest, 'consumer')
  if (contest.consumer === 'typescript') await consumer.says('waiting') // it is slow to start, and the publisher is not to be done by then
  const publisher = start(scene, contest, 'publisher')
  const [published, found] = await Promise.all([publisher.report(), consumer.report()])
  await Promise.all([publisher.succeeds(), consumer.succeeds()])
  const { writes, contended } = published as unknown as Findings
  const findings = found as unknown as Findings
  return { ...findings, writes, contended: contended + findings.contended }
}

function start(scene: Scene, contest: Contest, role: 'publisher' | 'consumer'): Child {
  const { buffers, byteLength, seconds, exclusion, copy, nodeArguments } = contest
  const args = [role, 'contended', byteLength, buffers, seconds]
  if (copy && role === 'consumer') args.push('--copy')
  const env = exclusion ? {} : { PAGECAST_TEST_NO_EXCLUSION: '1' }
  if (contest[role] === 'rust') return scene.program(join(examples, 'contender'), [...args, '--directory', scene.directory], env)
  return scene.child('contender', args, { env: { ...env, NAPI_RS_NATIVE_LIBRARY_PATH: addon }, nodeArguments })
}
