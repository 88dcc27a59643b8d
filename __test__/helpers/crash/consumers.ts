import { enter, type Operation, SIZE, type Stage, stopsWaiting } from './table.js'

/** What is published at last. */
const LAST = 9

/** Where a consumer may die. Two may be attached: the victim, and one that survives it beside the publisher. */
export function consumerOperations(buffers: number): Operation[] {
  const one = buffers === 1

  const published =
    (slots = 2) =>
    async (stage: Stage) => {
      const { survivor, name } = stage
      await survivor.does('on', name)
      await survivor.does('create', buffers, slots, SIZE)
      await survivor.does('write', 1)
      await survivor.does('open')
      return enter(stage)
    }

  const attached =
    (...deeds: (string | number)[][]) =>
    async (stage: Stage) => {
      const victim = await published()(stage)
      for (const deed of [['open'], ...deeds]) await victim.does(...deed)
      return victim
    }

  /** The publisher has nothing left to write to but what the victim holds, and waits for that. */
  const awaited = async (stage: Stage) => {
    const { survivor } = stage
    const victim = await published()(stage)
    if (!one) {
      await survivor.does('lock', 0)
      await survivor.does('write', 2)
    }
    await victim.does('open')
    await victim.does('lock', 0)
    if (!one) await survivor.does('write', 3)
    survivor.tell('write', 4)
    await stopsWaiting(stage)
    return victim
  }

  /** Writing goes on through every buffer, reading goes on, and the slot is there for somebody else. */
  const goOn = (value: number) => async (stage: Stage) => {
    const { t, survivor } = stage
    t.is((await survivor.reads(0)).found, value)
    for (let next = LAST - 2 * buffers; next <= LAST; next++) await survivor.does('write', next)
    t.is((await survivor.reads(0)).found, LAST)
    const { consumer } = await survivor.does('open')
    t.is((await survivor.reads(Number(consumer))).found, LAST)
    t.is((await survivor.reads(Number(consumer), 'copy')).found, LAST)
    await survivor.does('close')
    await survivor.does('on', 'nothing')
  }

  const goOnWriting = async (stage: Stage) => {
    const { t, survivor } = stage
    survivor.goesOn()
    t.is((await survivor.answer()).event, 'done')
    if (!one) await survivor.does('unlock', 0)
    await goOn(4)(stage)
  }

  const survive = goOn(1)
  return [
    {
      title: 'attach',
      isNative: true,
      words: ['open'],
      prepare: published(),
      rows: [
        { title: 'not begun', survive },
        { title: "the slot's byte is taken, the slot not reset", after: ['hold Slot(1)', 1], survive },
        { title: 'attached, idle', after: ['store pid', -1], survive },
      ],
    },
    {
      title: 'lock',
      words: ['lock', 0],
      prepare: attached(),
      rows: [
        { title: 'not begun', survive },
        { title: 'pin stored, not confirmed', after: ['store pin', 1], survive },
        { title: 'holding a read', after: ['load state', -1], survive },
      ],
    },
    {
      title: 'unlock',
      words: ['unlock', 0],
      prepare: awaited,
      rows: [
        { title: 'holding a read that the publisher waits for', survive: goOnWriting },
        { title: 'between clearing the pin and waking', after: ['store pin', 1], survive: goOnWriting },
        { title: 'the word changed, nobody woken', after: ['fetch_add writer_waits', 1], survive: goOnWriting },
        { title: 'the publisher woken', after: ['futex wake', 1], survive: goOnWriting },
      ],
    },
    ...(one
      ? []
      : [
          {
            title: 'copy',
            words: ['copy', 0],
            prepare: attached(),
            rows: [{ title: 'between the looks at the state', after: ['load state', 1] as const, survive }],
          },
        ]),
    {
      title: 'detach',
      isNative: true,
      words: ['detach', 0],
      prepare: attached(['lock', 0]),
      rows: [
        { title: 'not begun', survive },
        { title: 'unpinned, byte not yet dropped', after: ['store pin', 1], survive },
        { title: 'byte dropped', after: ['release Slot(1)', 1], survive },
      ],
    },
    {
      title: 'wait for a change',
      isSleep: true,
      words: ['await', LAST],
      prepare: published(),
      rows: [{ title: 'asleep as reader', survive }],
    },
    ...(one
      ? [
          {
            title: 'wait for the lock',
            isSleep: true,
            words: ['read', 0],
            prepare: async (stage: Stage) => {
              const victim = await attached()(stage)
              await stage.survivor.does('begin', 2)
              return victim
            },
            rows: [
              {
                title: 'asleep as reader',
                survive: async (stage: Stage) => {
                  await stage.survivor.does('finish', 2)
                  await goOn(2)(stage)
                },
              },
            ],
          },
        ]
      : []),
  ]
}
