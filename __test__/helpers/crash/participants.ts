import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { enter, type Operation, type Row, type Stage } from './table.js'

/** Where a participant of a mutex may die. One that survives it has taken part since before. */
export function participantOperations(): Operation[] {
  const alone = async ({ scene, name, survivor }: Stage) => {
    writeFileSync(join(scene.directory, name), new Uint8Array(4096))
    await survivor.does('on', name)
    await survivor.does('participate')
  }

  const newcomer = async (stage: Stage) => {
    await alone(stage)
    return enter(stage)
  }

  /** In the slot after the survivor's. */
  const attached =
    (...deeds: (string | number)[][]) =>
    async (stage: Stage) => {
      const victim = await newcomer(stage)
      for (const deed of [['participate'], ...deeds]) await victim.does(...deed)
      return victim
    }

  /** The survivor sleeps until the victim, which holds it, lets go. */
  const awaited = async (stage: Stage) => {
    const victim = await attached(['acquire', 0])(stage)
    stage.survivor.tell('acquire', 0)
    await stage.survivor.fallsAsleep()
    return victim
  }

  /** Somebody died holding it, in the slot after the survivor's. */
  const bequeathed = async (stage: Stage) => {
    const dead = await attached(['acquire', 0])(stage)
    await dead.die()
    await dead.end()
  }

  /** The survivor has it, and everybody after; `told`: that it was recovered. */
  const goOn = async (stage: Stage, told: boolean) => {
    const { t, scene, survivor, name } = stage
    await survivor.does('release', 0)
    t.false((await survivor.does('acquire', 0)).recovered, 'it is told once')
    await survivor.does('release', 0)
    const next = Number((await survivor.does('participate')).participant)
    t.false((await survivor.does('acquire', next)).recovered)
    await survivor.does('release', next)
    await survivor.does('on', 'nothing')
    scene.remove(name)
    t.log(`recovered: ${told}`)
  }

  const survive = (told: boolean) => async (stage: Stage) => {
    const { t, survivor } = stage
    t.is((await survivor.does('acquire', 0)).recovered, told)
    await goOn(stage, told)
  }

  const hear = (told: boolean) => async (stage: Stage) => {
    const answer = await stage.survivor.answer()
    stage.t.like(answer, { event: 'done', recovered: told })
    await goOn(stage, told)
  }

  const row = (title: string, survive: Row['survive'], after?: Row['after']): Row =>
    after === undefined ? { title, survive } : { title, survive, after }

  return [
    {
      title: 'attach to a mutex',
      isNative: true,
      words: ['participate'],
      prepare: newcomer,
      rows: [
        row('not begun', survive(false)),
        row("the slot's byte is taken, the word not looked at", survive(false), ['hold Participant(0, 1)', 1]),
        row('attached, idle', survive(false), ['load owner', -1]),
      ],
    },
    {
      title: 'attach to a mutex in the slot of one that died holding it',
      isNative: true,
      words: ['participate'],
      prepare: async stage => {
        await bequeathed(stage)
        return enter(stage)
      },
      rows: [
        row('not begun', survive(true)),
        row("the dead one's byte is taken, the word still says its number", survive(true), ['hold Participant(0, 1)', 1]),
        row('left to the next one', survive(true), ['compare_exchange owner', 1]),
      ],
    },
    {
      title: 'lock a mutex',
      isNative: true,
      words: ['acquire', 0],
      prepare: attached(),
      rows: [
        row('not begun', survive(false)),
        row('holding it, not yet named', survive(true), ['compare_exchange owner', 1]),
        row('holding it', survive(true), ['store owner_pid', 1]),
      ],
    },
    {
      title: 'lock a mutex whose holder died',
      isNative: true,
      words: ['acquire', 0],
      prepare: async stage => {
        const victim = await attached()(stage) // in slot 1
        const dead = await enter(stage)
        await dead.does('participate')
        await dead.does('acquire', 0)
        await dead.die()
        await dead.end()
        return victim
      },
      rows: [
        row('not begun', survive(true)),
        row("the dead one's byte is taken", survive(true), ['hold Participant(0, 2)', 1]),
        row("holding it, the dead one's byte not yet dropped", survive(true), ['compare_exchange owner', 1]),
        row('holding what it recovered', survive(true), ['release Participant(0, 2)', 1]),
      ],
    },
    {
      title: 'unlock a mutex',
      isNative: true,
      words: ['release', 0],
      prepare: awaited,
      rows: [
        row('holding it while somebody sleeps', hear(true)),
        row('free, nobody woken', hear(false), ['compare_exchange owner', 1]),
        row('somebody woken', hear(false), ['futex wake', 1]),
      ],
    },
    {
      title: 'leave a mutex that it holds',
      isNative: true,
      words: ['leave', 0],
      prepare: awaited,
      rows: [
        row('not begun', hear(true)),
        row('left to the next one, nobody woken', hear(true), ['compare_exchange owner', 1]),
        row('somebody woken, byte not yet dropped', hear(true), ['futex wake', 1]),
        row('byte dropped', hear(true), ['release Participant(0, 1)', 1]),
      ],
    },
    {
      title: 'wait for a mutex',
      isSleep: true,
      words: ['acquire', 0],
      prepare: async stage => {
        const victim = await attached()(stage)
        await stage.survivor.does('acquire', 0)
        return victim
      },
      rows: [row('asleep for it', stage => goOn(stage, false))],
    },
  ]
}
