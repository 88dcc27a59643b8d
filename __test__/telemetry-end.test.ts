import { CHILDREN, MainJob, program } from './helpers/main-job.js'
import { scene } from './helpers/scene.js'

// However the main job ends, no segment and no process is left.

// The parent gets it first, and may have ended a child before its turn comes.
function interrupt(pid: number): void {
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

for (const publisher of ['typescript', 'rust']) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    scene(`${publisher} publisher: ${signal} to the parent`, async (t, scene) => {
      const job = new MainJob(scene, '--json', '--publisher', publisher)
      await job.isRunning()
      job.parent.kill(signal)
      t.is((await job.parent.report()).torn, 0)
      await job.parent.succeeds()
      job.leavesNothing(t)
    })
  }

  scene(`${publisher} publisher: Ctrl-C, which all processes get`, async (t, scene) => {
    const job = new MainJob(scene, '--json', '--publisher', publisher)
    await job.isRunning()
    const children = [...job.processes().values()].filter(pid => pid !== job.parent.pid)
    for (const pid of [job.parent.pid, ...children]) interrupt(pid)
    t.is((await job.parent.report()).torn, 0)
    await job.parent.succeeds()
    job.leavesNothing(t)
  })

  scene(`${publisher} publisher: the parent is killed`, async (t, scene) => {
    const job = new MainJob(scene, '--json', '--publisher', publisher)
    await job.isRunning()
    job.parent.kill('SIGKILL')
    await job.isOver()
    job.leavesNothing(t)
  })
}

for (const child of CHILDREN) {
  scene(`${child} is killed: the job fails and says why`, async (t, scene) => {
    const job = new MainJob(scene, '--json')
    await job.isRunning()
    process.kill(job.processes().get(child) as number, 'SIGKILL')
    t.is((await job.parent.exit).code, 1)
    t.regex(job.parent.account, new RegExp(`${child.replace('.js', '')}: killed by SIGKILL`))
    job.leavesNothing(t)
  })
}

scene('all are killed at once: the next job takes the segment away', async (t, scene) => {
  const job = new MainJob(scene, '--json')
  await job.isRunning()
  const pids = [...job.processes().values()]
  for (const pid of pids) process.kill(pid, 'SIGSTOP') // nobody is to notice that the others die
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await job.parent.exit
  await job.isOver() // one of the lowest priority may take a while to die
  t.true(job.hasSegment)
  await scene.program(process.execPath, [program, '--name', job.name, '--seconds', '1', '--json']).succeeds()
  job.leavesNothing(t)
})

scene('a publication that somebody else publishes is left alone', async (t, scene) => {
  const job = new MainJob(scene, '--json')
  await job.isRunning()
  const second = scene.program(process.execPath, [program, '--name', job.name, '--json'])
  t.is((await second.exit).code, 1)
  t.regex(second.account, /another publisher|publisher .*lives|pid/)
  job.parent.kill('SIGINT')
  await job.parent.succeeds()
  job.leavesNothing(t)
})
