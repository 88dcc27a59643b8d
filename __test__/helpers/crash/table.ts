import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { Actor, type Kind, kinds } from '../actors.js'
import { Scene, scene } from '../scene.js'

/**
 * A stretch of an operation: it begins after a step, the how-manieth of that name (-1: the last), or at the start, and ends where the
 * next row begins; the last one ends with the operation.
 */
export interface Row {
  readonly title: string
  readonly after?: readonly [step: string, count: number]
  /** What the survivors do when somebody died there, and what they must find. */
  survive(stage: Stage): Promise<void>
}

/** Something in the middle of which a process may die. */
export interface Operation {
  readonly title: string
  readonly words: readonly (string | number)[]
  readonly rows: readonly Row[]
  /** Everything up to it. Returns who is to carry it out. */
  prepare(stage: Stage): Promise<Actor>
  /** It never ends by itself: the victim dies when it has fallen asleep in it. */
  readonly isSleep?: boolean
  /** All its steps are native code's, which a worker that is terminated still takes to the end. */
  readonly isNative?: boolean
}

/** One death, on a name of its own. */
export interface Stage {
  readonly t: ExecutionContext
  readonly scene: Scene
  readonly name: string
  readonly kind: Kind
  readonly survivor: Actor
}

/** A value that was read, or the code of why there was none. */
export type Found = number | string

/** Bytes of a value. */
export const SIZE = 64

/** Somebody who is there for this death only. */
export async function enter({ scene, kind, name }: Pick<Stage, 'scene' | 'kind' | 'name'>, env?: NodeJS.ProcessEnv): Promise<Actor> {
  const actor = await Actor.start(scene, kind, env)
  await actor.does('on', name)
  return actor
}

export function oneOf(t: ExecutionContext, found: unknown, expected: readonly Found[], what: string): void {
  t.true(expected.includes(found as Found), `${what}: ${found}, expected ${expected.join(' or ')}`)
}

/** What a word of the control line is now: see docs/format.md. */
function controlWord({ scene, name }: Stage, byteOffset: number): number {
  const segment = openSync(join(scene.directory, name), 'r')
  const word = (position: number) => {
    const bytes = Buffer.alloc(4)
    readSync(segment, bytes, 0, 4, position)
    return bytes.readUInt32LE()
  }
  try {
    return word(word(80) + byteOffset)
  } finally {
    closeSync(segment)
  }
}

const SLEEPERS = 4
const WRITER_WAITS = 8

/** Until somebody says in the segment that it sleeps for a change: from there on the publisher's steps are the same each time. */
export async function untilAsleep(stage: Stage): Promise<void> {
  while (controlWord(stage, SLEEPERS) === 0) await delay(1)
}

/**
 * Until the survivor says in the segment that it waits for a pin, and stops it there, or the steps of whoever takes the pin back were not the same each
 * time: every 5 ms it looks after the dead, and for that moment says nothing.
 */
export async function stopsWaiting(stage: Stage): Promise<void> {
  const { survivor } = stage
  for (;;) {
    await survivor.stops()
    if ((controlWord(stage, WRITER_WAITS) & 1) !== 0) return
    survivor.goesOn()
    await delay(1)
  }
}

interface Cast {
  readonly kind: Kind
  readonly survivor: Kind
}

const casts: readonly Cast[] = [...kinds.map(kind => ({ kind, survivor: 'rust' }) as const), { kind: 'rust', survivor: 'typescript' }]

/** Where a victim dies at every step; in other casts once in each row. Native code's steps are the same whoever calls it. */
function isThorough({ kind, survivor }: Cast, { isNative = false }: Operation): boolean {
  return survivor === 'rust' && (kind === 'rust' || (kind === 'typescript' && !isNative))
}

/** A test for each row, victim and survivor. */
export function rowsOf(role: string, buffers: number | undefined, operations: readonly Operation[]): void {
  const among = buffers === undefined ? '' : `buffers: ${buffers}, `
  for (const operation of operations)
    for (const cast of casts) {
      // Where a worker sleeps the engine decides how it ends: see processes-workers.test.ts.
      if ((operation.isSleep || operation.isNative) && cast.kind === 'worker') continue
      const steps = new Trace(operation, cast)
      for (const row of operation.rows) {
        const { kind, survivor } = cast
        const title = `killed: ${role} in ${kind}, ${among}${operation.title}: ${row.title} (survivors in ${survivor})`
        scene(title, (t, scene) => playRow({ t, scene, cast, operation, row, steps }))
      }
    }
}

/** The steps of an operation, found out once. */
class Trace {
  readonly #operation: Operation
  readonly #cast: Cast
  #steps: Promise<readonly string[]> | undefined

  constructor(operation: Operation, cast: Cast) {
    this.#operation = operation
    this.#cast = cast
  }

  steps(t: ExecutionContext): Promise<readonly string[]> {
    this.#steps ??= this.#find(t)
    return this.#steps
  }

  async #find(t: ExecutionContext): Promise<readonly string[]> {
    const scene = new Scene()
    try {
      const survivor = await Actor.start(scene, this.#cast.survivor)
      const victim = await this.#operation.prepare({ t, scene, survivor, name: 'trace', kind: this.#cast.kind })
      return await victim.traces(...this.#operation.words)
    } finally {
      await scene.close()
    }
  }
}

interface Play {
  readonly t: ExecutionContext
  readonly scene: Scene
  readonly cast: Cast
  readonly operation: Operation
  readonly row: Row
  readonly steps: Trace
}

async function playRow({ t, scene, cast, operation, row, steps }: Play): Promise<void> {
  const survivor = await Actor.start(scene, cast.survivor)
  const stage = { t, scene, survivor, kind: cast.kind }
  if (operation.isSleep) return dieAsleep({ ...stage, name: 'asleep' }, operation, row)
  const trace = await steps.steps(t)
  const moments = momentsOf(trace, operation.rows, row)
  t.log(moments.map(moment => trace[moment] ?? 'the end').join(' · '))
  for (const moment of isThorough(cast, operation) ? moments : moments.slice(0, 1)) {
    scene.doing(`dying before step ${moment}, ${trace[moment] ?? 'the end'}, of ${trace.filter(step => !isLook(step)).join(', ')}`)
    await dieAt({ ...stage, name: `value-${moment}` }, operation, row, moment, trace)
    t.deepEqual(scene.names(), [], 'what the next publisher left when it closed')
  }
}

async function dieAt(stage: Stage, operation: Operation, row: Row, moment: number, trace: readonly string[]): Promise<void> {
  const { t } = stage
  const victim = await operation.prepare(stage)
  if (moment < trace.length) t.is(await victim.stopsBefore(moment, ...operation.words), trace[moment])
  else await victim.does(...operation.words)
  await victim.die()
  await row.survive(stage)
  await victim.end()
}

async function dieAsleep(stage: Stage, operation: Operation, row: Row): Promise<void> {
  const victim = await operation.prepare(stage)
  victim.tell(...operation.words)
  await victim.fallsAsleep()
  await victim.die()
  await row.survive(stage)
}

/**
 * The steps of a row before which somebody may die so that others can tell: after a look, things are as they were before it. A row's
 * first moment counts, and the end of the operation.
 */
function momentsOf(trace: readonly string[], rows: readonly Row[], row: Row): number[] {
  const starts = rows.map(each => startOf(trace, each))
  const start = startOf(trace, row)
  const end = starts[rows.indexOf(row) + 1] ?? trace.length + 1
  if (start >= end) throw new Error(`no step of ${trace.join(', ')} is in the row ${row.title}`)
  const moments = Array.from({ length: end - start }, (_, index) => start + index)
  return moments.filter(moment => moment === start || moment === trace.length || !isLook(trace[moment - 1]))
}

function isLook(step: string | undefined): boolean {
  return step?.startsWith('load ') ?? false
}

function startOf(trace: readonly string[], { title, after }: Row): number {
  if (after === undefined) return 0
  const [step, count] = after
  const found = trace.flatMap((name, index) => (name === step ? [index + 1] : [])).at(count < 0 ? count : count - 1)
  if (found === undefined) throw new Error(`${title}: there is no ${step} (${count}) in ${trace.join(', ')}`)
  return found
}
