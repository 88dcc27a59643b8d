import type { Child } from './helpers/child.js'
import { type Scene, scene } from './helpers/scene.js'
import { awaiting, blocking, type Setting, settingOf, waits } from './helpers/settings.js'
import { Cast } from './helpers/workers.js'

// Every wait here has a timeout of ten minutes: what ends it before the watchdog does is what the test did.

async function within(scene: Scene, wait: string, play: (setting: Setting) => Promise<void>): Promise<void> {
  const setting = settingOf(wait, scene.directory)
  try {
    await play(setting)
  } finally {
    setting.close()
  }
}

for (const wait of Object.keys(waits)) {
  scene(`a worker can be terminated while it waits: ${wait}`, async (t, scene) => {
    await within(scene, wait, async setting => {
      const worker = new Cast('waits', [scene.directory, wait])
      await worker.waits()
      const ms = await worker.terminate()
      t.log(`gone after ${ms.toFixed(1)} ms`)
      setting.check(t)
    })
  })

  scene(`Ctrl-C ends a process that waits: ${wait}`, async (t, scene) => {
    await within(scene, wait, async setting => {
      const child = await waiting(scene, wait)
      const start = performance.now()
      child.kill('SIGINT')
      t.deepEqual(await child.exit, { code: null, signal: 'SIGINT' })
      t.log(`gone after ${(performance.now() - start).toFixed(1)} ms`)
      setting.check(t)
    })
  })
}

// A listener is called by the event loop, so not before a call that blocks it returns. Without one, as above, the system ends the process.
for (const wait of Object.keys(blocking)) {
  scene(`a process that listens for Ctrl-C hears it when its wait is over: ${wait}`, async (t, scene) => {
    await within(scene, wait, async setting => {
      const child = await waiting(scene, wait, 'listen')
      child.kill('SIGINT')
      await child.fallsAsleep() // again: it goes on waiting
      setting.release()
      await child.says('woken')
      await child.says('interrupted')
      await child.succeeds()
    })
    t.pass()
  })
}

for (const wait of Object.keys(awaiting)) {
  scene(`a process that listens for Ctrl-C hears it while it awaits: ${wait}`, async (t, scene) => {
    await within(scene, wait, async setting => {
      const child = await waiting(scene, wait, 'listen')
      child.kill('SIGINT')
      await child.says('interrupted')
      setting.release()
      await child.says('woken')
      await child.succeeds()
    })
    t.pass()
  })
}

async function waiting(scene: Scene, ...args: string[]): Promise<Child> {
  const child = scene.child('waits', args)
  await child.says('waiting')
  await child.fallsAsleep()
  return child
}
