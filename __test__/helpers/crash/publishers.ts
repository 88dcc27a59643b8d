import { enter, type Found, type Operation, oneOf, type Row, SIZE, type Stage, untilAsleep } from './table.js'

/** What the next publisher publishes. */
const NEXT = 9
const DIED = 'ERR_PUBLISHER_DIED'
const EMPTY = 'ERR_EMPTY'
const CLOSED = 'ERR_CLOSED'
const REPLACED = 'ERR_REPLACED'

/** What somebody who is attached finds: each time one of these. */
interface Finds {
  /** After the death. */
  readonly seen: readonly Found[]
  /** When the next publisher took over. */
  readonly left: readonly Found[]
  /** When it has published. Default: that. */
  readonly next?: readonly Found[]
  /** In a sleep that lasts until then. Default: as `next`. */
  readonly woken?: readonly Found[]
}

/** Where a publisher may die. */
export function publisherOperations(buffers: number): Operation[] {
  const one = buffers === 1
  const create = (byteLength: number, slots: number) => ['create', buffers, slots, byteLength]

  /** One is attached, another sleeps. */
  const attend = async ({ survivor, name }: Stage) => {
    await survivor.does('on', name)
    await survivor.does('open')
    await survivor.does('await', NEXT)
  }

  const published = (slots: number) => async (stage: Stage) => {
    const victim = await enter(stage)
    await victim.does(...create(SIZE, slots))
    await victim.does('write', 1)
    await attend(stage)
    await untilAsleep(stage)
    return victim
  }

  /** What a publisher and a consumer left that are gone by now. */
  const inherited =
    (env: NodeJS.ProcessEnv, ...deeds: (string | number)[][]) =>
    async (stage: Stage) => {
      const first = await enter({ ...stage, kind: 'rust' })
      await first.does(...create(SIZE, 3))
      await first.does('write', 1)
      await attend(stage)
      await untilAsleep(stage)
      for (const deed of deeds) await first.does(...deed)
      await first.die()
      return enter(stage, env)
    }

  /** The next publisher takes over, or takes the place; who is attached is told; the slots of the dead are there for others. */
  const succeed = (finds: Finds, slots: number, byteLength: number) => async (stage: Stage) => {
    const { t, survivor } = stage
    const { next = [NEXT], woken = next } = finds
    oneOf(t, (await survivor.reads(0)).found, finds.seen, 'after the death')
    oneOf(t, (await survivor.reads(0, 'copy')).found, finds.seen, 'after the death, copied')
    const before = await survivor.does('facts', 0)
    t.false(before.alive)
    const { adopted } = await survivor.does(...create(byteLength, slots))
    if (!next.includes(CLOSED) && !next.includes(REPLACED)) {
      t.true(adopted)
      t.true(Number((await survivor.does('facts', 0)).epoch) > Number(before.epoch), 'the epoch')
    }
    oneOf(t, (await survivor.reads(0)).found, finds.left, 'after the takeover')
    await publishNext(stage)
    oneOf(t, (await survivor.reads(0)).found, next, 'attached before')
    oneOf(t, await survivor.wakes(), woken, 'asleep before')
    await leave(stage)
  }

  /** Nobody could attach yet. */
  const found = async (stage: Stage) => {
    const { survivor, name } = stage
    await survivor.does('on', name)
    await survivor.does(...create(SIZE, 1))
    await publishNext(stage)
    await leave(stage)
  }

  const publishNext = async ({ t, survivor }: Stage) => {
    for (let value = NEXT - 2 * buffers; value <= NEXT; value++) await survivor.does('write', value)
    const { consumer } = await survivor.does('open')
    t.is((await survivor.reads(Number(consumer))).found, NEXT, 'attached now')
    await survivor.does('detach', Number(consumer))
  }

  const leave = async ({ survivor }: Stage) => {
    await survivor.does('close')
    await survivor.does('on', 'nothing')
  }

  const row = (title: string, after: Row['after'], finds: Finds, slots = 3, byteLength = SIZE): Row => {
    const survive = succeed(finds, slots, byteLength)
    return after === undefined ? { title, survive } : { title, after, survive }
  }
  const all = (value: Found) => ({ seen: [value], left: [value] })

  const writing = [
    row('not begun', undefined, all(1)),
    ...(one ? [row('WRITING set, nothing written', ['store state', 1], { seen: [DIED], left: [1] })] : []),
    row('half written', ['store sequence', 1], one ? { seen: [DIED], left: [EMPTY] } : all(1)),
    row('written, not published', ['store sequence', -1], one ? { seen: [DIED], left: [2] } : all(1)),
    row('published, nobody woken', ['store state', -1], all(2)),
  ]

  const adopting = (seen: Found, left: Found) => [
    row('not begun', undefined, { seen: [seen], left: [left] }),
    row('the byte is taken', ['hold Publisher', 1], { seen: [seen], left: [left] }),
    row("in recovery of another's slot", ['hold Slot(2)', 1], { seen: [seen], left: [left] }),
    row('before raising the epoch', ['release Slot(2)', 1], { seen: [seen], left: [left] }),
    row('after raising the epoch', ['fetch_add epoch', 1], { seen: [seen], left: [left] }),
    row('taken over, nobody woken', ['store state', -1], { seen: left === EMPTY ? [DIED] : [left], left: [left] }),
  ]

  const replacing = (named: string) => {
    const gone = { left: [REPLACED], next: [REPLACED] }
    const rowOf = (title: string, after: Row['after'], seen: Found) => row(title, after, { seen: [seen], ...gone }, 3, 2 * SIZE)
    return [
      rowOf('not begun', undefined, 1),
      rowOf('between temporary name and rename', [named, 1], 1),
      rowOf('renamed, the old one not yet marked REPLACED', ['rename', 1], 1),
      rowOf('REPLACED stored, nobody woken', ['store state', -1], REPLACED),
    ]
  }

  const noTmpfile = { PAGECAST_TEST_NO_TMPFILE: '1' }
  return [
    {
      title: 'create',
      isNative: true,
      words: create(SIZE, 1),
      prepare: enter,
      rows: [
        { title: 'before the link', survive: found },
        { title: 'linked', after: ['linkat', 1], survive: found },
      ],
    },
    {
      title: 'create without O_TMPFILE',
      isNative: true,
      words: create(SIZE, 1),
      prepare: stage => enter(stage, noTmpfile),
      rows: [
        { title: 'not begun', survive: found },
        { title: 'under a temporary name', after: ['open O_EXCL', 1], survive: found },
        { title: 'under both names', after: ['linkat', 1], survive: found },
        { title: 'under its name', after: ['unlink', 1], survive: found },
      ],
    },
    { title: 'write', words: ['write', 2], prepare: published(3), rows: writing },
    { title: 'write in place', words: ['change', 2], prepare: published(3), rows: writing },
    ...(one
      ? [
          {
            title: 'give up a write',
            words: ['abort', 2],
            prepare: published(3),
            rows: [
              row('half written', ['store sequence', 1], { seen: [DIED], left: [EMPTY] }),
              row('put back, readers kept out', ['store sequence', -1], { seen: [DIED], left: [1] }),
              row('readers let in, nobody woken', ['store state', -1], all(1)),
            ],
          },
        ]
      : []),
    {
      title: 'wait for a reader',
      words: ['write', 4],
      isSleep: true,
      prepare: async stage => {
        const victim = await published(4)(stage)
        await stage.survivor.does('lock', 0)
        if (one) return victim
        await victim.does('write', 2)
        await stage.survivor.does('open')
        await stage.survivor.does('lock', 1)
        await victim.does('write', 3)
        await untilAsleep(stage)
        return victim
      },
      rows: [
        {
          title: 'asleep as writer',
          survive: async stage => {
            for (const consumer of one ? [0] : [0, 1]) await stage.survivor.does('unlock', consumer)
            await succeed(one ? { seen: [DIED], left: [1] } : all(3), 4, SIZE)(stage)
          },
        },
      ],
    },
    {
      title: 'write past the dead',
      words: ['write', 4],
      prepare: async stage => {
        const victim = await published(one ? 3 : 4)(stage)
        const reader = await enter({ ...stage, kind: 'rust' })
        // as many buffers as there are, less the current one, are pinned
        for (const value of one ? [1] : [2, 3]) {
          const { consumer } = await reader.does('open')
          await reader.does('lock', Number(consumer))
          if (!one) await victim.does('write', value)
        }
        await reader.die()
        await untilAsleep(stage)
        return victim
      },
      rows: [
        row('not begun', undefined, one ? { seen: [1, DIED], left: [1] } : all(3), one ? 3 : 4),
        row("in recovery of another's slot", ['hold Slot(2)', 1], one ? { seen: [DIED], left: [1] } : all(3), one ? 3 : 4),
        row(
          'recovered',
          ['release Slot(2)', 1],
          one ? { seen: [DIED, 4], left: [1, EMPTY, 4] } : { seen: [3, 4], left: [3, 4] },
          one ? 3 : 4,
        ),
      ],
    },
    { title: 'take over', isNative: true, words: create(SIZE, 3), prepare: inherited({}, ['open'], ['lock', 0]), rows: adopting(1, 1) },
    ...(one
      ? [
          {
            title: 'take over what is torn',
            isNative: true,
            words: create(SIZE, 3),
            prepare: inherited({}, ['begin', 2]),
            rows: adopting(DIED, EMPTY),
          },
        ]
      : []),
    { title: 'replace', isNative: true, words: create(2 * SIZE, 3), prepare: inherited({}), rows: replacing('linkat') },
    {
      title: 'replace without O_TMPFILE',
      isNative: true,
      words: create(2 * SIZE, 3),
      prepare: inherited(noTmpfile),
      rows: replacing('open O_EXCL'),
    },
    {
      title: 'close',
      isNative: true,
      words: ['close'],
      prepare: published(3),
      rows: [
        row('not begun', undefined, all(1)),
        row('CLOSED stored, name not yet unlinked', ['store state', -1], { seen: [CLOSED], left: [1], woken: [NEXT, CLOSED] }),
        row('name unlinked, byte still held', ['unlink', 1], { seen: [CLOSED], left: [CLOSED], next: [CLOSED] }),
      ],
    },
  ]
}
