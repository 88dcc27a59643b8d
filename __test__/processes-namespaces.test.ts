import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { Actor, type Kind } from './helpers/actors.js'
import { type Scene, scene } from './helpers/scene.js'

// Whoever is started like this has process id 1 in a namespace of its own, and sees nobody else's.
const unshare = ['unshare', '--pid', '--fork', '--kill-child']

async function apart(scene: Scene, kind: Kind): Promise<Actor> {
  const actor = await Actor.start(scene, kind, {}, unshare)
  await actor.does('on', 'value')
  return actor
}

async function here(scene: Scene): Promise<Actor> {
  const actor = await Actor.start(scene, 'rust')
  await actor.does('on', 'value')
  return actor
}

/** As {@link scene}, where this process may make namespaces. */
function sceneOfNamespaces(title: string, play: (t: ExecutionContext, scene: Scene) => Promise<void>): void {
  scene(title, async (t, scene) => {
    const { status, stderr, error } = spawnSync(unshare[0] as string, [...unshare.slice(1), 'true'], { encoding: 'utf8' })
    if (status === 0) return play(t, scene)
    t.log(`skipped, unshare --pid is not permitted here: ${error?.message ?? stderr.trim()}`)
    t.pass()
  })
}

for (const kind of ['rust', 'typescript'] as const) {
  sceneOfNamespaces(`a publisher in another PID namespace lives, dies and is succeeded from both sides: ${kind}`, async (t, scene) => {
    const publisher = await apart(scene, kind)
    await publisher.does('create', 1, 2, 64)
    await publisher.does('write', 1)
    const consumer = await here(scene)
    await consumer.does('open')
    t.like(await consumer.does('facts', 0), { alive: true, epoch: 1 })
    consumer.tell('create', 1, 2, 64)
    t.is((await consumer.answer()).code, 'ERR_PUBLISHER_EXISTS')
    await publisher.does('begin', 2)
    await dies(publisher, consumer)
    t.is((await consumer.reads(0)).found, 'ERR_PUBLISHER_DIED')

    const second = await apart(scene, kind) // the same process id again
    t.like(await second.does('create', 1, 2, 64), { adopted: true })
    await second.does('write', 3)
    t.is((await consumer.reads(0)).found, 3)
    t.like(await consumer.does('facts', 0), { alive: true, epoch: 2 })
    await dies(second, consumer)
    t.like(await consumer.does('create', 1, 2, 64), { adopted: true })
    await consumer.does('write', 4)
    t.is((await consumer.reads(0)).found, 4)
    await consumer.does('close')
  })

  sceneOfNamespaces(`two consumers with process id 1, each in its namespace: only the dead one is recovered: ${kind}`, async (t, scene) => {
    const publisher = await here(scene)
    await publisher.does('create', 1, 2, 64)
    await publisher.does('write', 1)
    const [living, dead] = [await apart(scene, kind), await apart(scene, kind)]
    for (const consumer of [living, dead]) {
      await consumer.does('open')
      await consumer.does('lock', 0)
    }
    publisher.tell('write', 2)
    await publisher.fallsAsleep()
    await dead.die()
    await publisher.fallsAsleep() // the living one keeps it waiting
    t.is((await living.does('held', 0)).value, 1)
    await living.does('unlock', 0)
    t.is((await publisher.answer()).event, 'done')
    await publisher.does('open') // in the dead one's slot
    t.is((await publisher.reads(0)).found, 2)
    t.is((await living.reads(0)).found, 2)
    await publisher.does('close')
  })
}

/** What dies first is the command that made the namespace; the kernel then kills who is in it. */
async function dies(publisher: Actor, consumer: Actor): Promise<void> {
  await publisher.die()
  while ((await consumer.does('facts', 0)).alive) await delay(1)
}
