// A child that was spawned, and so closed what is closed on exec: see processes-exit.test.ts.
import { Actor } from './helpers/actors.js'
import { type Scene, scene } from './helpers/scene.js'

async function start(scene: Scene): Promise<Actor> {
  const actor = await Actor.start(scene, 'rust')
  await actor.does('on', 'value')
  return actor
}

/** Forks, dies, and goes on when the child is known to be there still. */
async function forkAndDie(actor: Actor, goOn: () => Promise<void>): Promise<void> {
  const child = Number((await actor.does('fork')).child)
  try {
    await actor.die()
    await goOn()
    process.kill(child, 0)
  } finally {
    process.kill(child, 'SIGKILL')
  }
}

scene('a forked child that outlives its killed parent is no publisher', async (t, scene) => {
  const [publisher, consumer] = [await start(scene), await start(scene)]
  await publisher.does('create', 1, 2, 64)
  await publisher.does('write', 1)
  await consumer.does('open')
  await forkAndDie(publisher, async () => {
    t.false((await consumer.does('facts', 0)).alive)
    t.is((await consumer.reads(0)).found, 1)
    t.like(await consumer.does('create', 1, 2, 64), { adopted: true })
  })
  await consumer.does('close')
})

scene('a forked child that outlives its killed parent holds no value and no slot', async (t, scene) => {
  const [publisher, consumer] = [await start(scene), await start(scene)]
  await publisher.does('create', 1, 1, 64)
  await publisher.does('write', 1)
  await consumer.does('open')
  await consumer.does('lock', 0)
  await forkAndDie(consumer, async () => {
    await publisher.does('write', 2)
    await publisher.does('open')
    t.is((await publisher.reads(0)).found, 2)
  })
  await publisher.does('close')
})

scene('a parent that forked goes on', async (t, scene) => {
  const [publisher, consumer] = [await start(scene), await start(scene)]
  await publisher.does('create', 1, 2, 64)
  await publisher.does('write', 1)
  const child = Number((await publisher.does('fork')).child)
  process.kill(child, 'SIGKILL')
  await consumer.does('open')
  t.true((await consumer.does('facts', 0)).alive)
  await publisher.does('write', 2)
  t.is((await consumer.reads(0)).found, 2)
  await publisher.does('close')
})
