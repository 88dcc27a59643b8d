import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Consumer, Publisher } from 'pagecast'
import { Pose, pose } from './helpers/pose.js'
import { fileOf } from './helpers/region.js'
import { scene } from './helpers/scene.js'

const SECONDS = 4

for (const buffers of [1, 4]) {
  scene(`nobody is brought down by somebody who writes nonsense all the time: ${buffers} buffers`, async (t, scene) => {
    const { directory } = scene
    const roles = ['publisher', 'attacker', 'consumer', 'observer', 'dynamic', 'follower']
    const children = roles.map(role => scene.child('attacked', [role, buffers]))
    const end = delay(1000 * SECONDS)
    for (const child of children) {
      scene.doing(`waiting until something succeeds: ${child.title}`)
      await child.says('succeeded')
    }
    await end
    const over = fileOf(directory, '', 'over')
    for (const child of children) {
      const { succeeded } = await child.says('done')
      t.log(`${child.title}: ${succeeded}`)
      await child.succeeds()
    }
    rmSync(over)
    rmSync(join(directory, 'pose'), { force: true })
    using publisher = Publisher.create('pose', Pose, { directory, buffers, init: pose(1) })
    using consumer = Consumer.open('pose', Pose, { directory })
    t.deepEqual(consumer.read(), pose(1))
    publisher.write(pose(2))
    t.deepEqual(consumer.read(), pose(2))
  })
}
