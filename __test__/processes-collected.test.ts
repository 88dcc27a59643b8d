import { scene } from './helpers/scene.js'

scene('what is collected without being disposed of lets go of its locks', async (t, scene) => {
  const child = scene.child('collected', [], { nodeArguments: ['--expose-gc'] })
  scene.doing('waiting for the publisher to be collected')
  t.like(await child.says('adopted'), { adopted: true, value: 1 })
  for (const what of ['a consumer', 'a consumer with a lock', 'a consumer with an iteration']) {
    scene.doing(`waiting for ${what} to be collected`)
    t.like(await child.says('reused'), { field1: 1 })
  }
  await child.succeeds()
})

scene('channels, messages and clients that are collected without being closed leave nothing open', async (t, scene) => {
  const child = scene.child('channel-collected', [], { nodeArguments: ['--expose-gc'] })
  for (const what of ['a message', 'channels that waited', 'a client']) {
    scene.doing(`waiting for ${what} to be collected`)
    t.like(await child.says('collected'), { what, were: true })
  }
  t.like(await child.says('serving'), { entries: 0 }, 'a broker that is forgotten serves on')
  await child.succeeds()
})

scene('PAGECAST_DEBUG=1 warns of a lock that is held across a turn of the event loop', async (t, scene) => {
  const child = scene.child('held-lock', [], { env: { PAGECAST_DEBUG: '1' } })
  const { message, name } = await child.says('warning')
  t.is(name, 'PagecastWarning')
  t.regex(String(message), /readLock pose/)
  await child.says('done')
  await child.succeeds()
  const quiet = scene.child('held-lock', [], { env: { PAGECAST_DEBUG: '' } })
  await quiet.says('done')
  await quiet.succeeds()
})
