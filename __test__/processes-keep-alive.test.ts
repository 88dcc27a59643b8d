import { setTimeout as delay } from 'node:timers/promises'
import { Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

for (const thing of ['an awaited first value', 'an awaited lock']) {
  scene(`keeps its process alive: ${thing}`, async (t, scene) => {
    using publisher = Publisher.create('pose', Pose, { directory: scene.directory })
    const child = scene.child('keep-alive', [thing])
    await child.says('ready')
    await child.fallsAsleep()
    await delay(200) // time enough to end
    publisher.write(pose(2))
    t.like(await child.says('value'), { field1: 2 })
    await child.succeeds()
  })
}

scene('keeps its process alive: an awaited change', async (t, scene) => {
  using publisher = Publisher.create('pose', Pose, { directory: scene.directory, init: pose(1) })
  const child = scene.child('keep-alive', ['an awaited change'])
  await child.says('ready')
  t.like(await child.says('value'), { field1: 1 })
  await delay(200)
  publisher.write(pose(2))
  t.like(await child.says('value'), { field1: 2 })
  await child.succeeds()
})

scene('keeps its process alive: an awaited publication', async (t, scene) => {
  const child = scene.child('keep-alive', ['an awaited publication'])
  await child.says('ready')
  await child.fallsAsleep()
  await delay(200)
  using _ = Publisher.create('late', Pose, { directory: scene.directory, init: pose(2) })
  t.like(await child.says('value'), { field1: 2 })
  await child.succeeds()
})

const idle = ['a change awaited with ref: false', 'an idle consumer', 'a consumer that has iterated', 'an iteration that nobody awaits']

for (const thing of idle) {
  scene(`does not keep its process alive: ${thing}`, async (t, scene) => {
    using _ = Publisher.create('pose', Pose, { directory: scene.directory, init: pose(1) })
    const child = scene.child('keep-alive', [thing])
    await child.says('ready')
    t.like(await child.says('value'), { field1: 1 })
    scene.doing('waiting for the child to end by itself')
    await child.succeeds()
  })
}

scene('does not keep its process alive: an idle publisher', async (t, scene) => {
  const child = scene.child('keep-alive', ['an idle publisher'])
  await child.says('ready')
  t.like(await child.says('value'), { field1: 1 })
  await child.succeeds()
  t.deepEqual(scene.names(), ['idle'])
  scene.remove('idle')
})
