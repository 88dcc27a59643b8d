import { chmodSync, readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { bytes, Consumer, Publisher } from 'pagecast'
import type { Child, Message } from './helpers/child.js'
import { ControlGroup } from './helpers/control-group.js'
import { holdings } from './helpers/holdings.js'
import { Pose, pose } from './helpers/pose.js'
import { type Scene, scene } from './helpers/scene.js'
import { Tmpfs } from './helpers/tmpfs.js'

// What the system refuses: each refusal has a code of its own and leaves nothing behind, and the process goes on.

/** A test on a filesystem of its own; where none may be mounted it says so. */
function onTmpfs(title: string, size: string, play: (t: ExecutionContext, tmpfs: Tmpfs, scene: Scene) => Promise<void> | void): void {
  scene(title, async (t, scene) => {
    const tmpfs = Tmpfs.mount(join(scene.directory, 'mounted'), size)
    if (typeof tmpfs === 'string') {
      t.log(`skipped, ${tmpfs}`)
      t.pass()
      return
    }
    using _ = tmpfs
    await play(t, tmpfs, scene)
  })
}

const freeOf = (directory: string): number => {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** Under limits of the shell's own, which bind every process that it becomes. */
function limited(scene: Scene, ulimit: string, limit: string): Child {
  const file = fileURLToPath(new URL('./children/no-room.js', import.meta.url))
  const env = { MALLOC_ARENA_MAX: '1' } // or each thread that allocates for the first time takes 64 MiB of address space
  return scene.program('sh', ['-c', `ulimit ${ulimit} && exec "$0" "$@"`, process.execPath, file, scene.directory, limit], env)
}

async function tried(child: Child): Promise<Message[]> {
  const messages: Message[] = []
  for (;;) {
    const message = await child.report()
    if (message.event === 'done') return messages
    messages.push(message)
  }
}

/** A living publication, `pose`, and one that was left, `left`. */
function publications(directory: string): Disposable {
  Publisher.create('left', Pose, { directory, init: pose(1) }).close({ keep: true })
  return Publisher.create('pose', Pose, { directory, init: pose(1) })
}

onTmpfs('more than the filesystem has is ERR_NO_SPACE with both sizes', '1m', (t, { directory }) => {
  const before = holdings(directory)
  const free = freeOf(directory)
  const error = t.throws(() => Publisher.create('big', bytes(2 ** 20), { directory, buffers: 2 }), { code: 'ERR_NO_SPACE' })
  const [, asked = '', left = ''] = /^create .*\/big: ([\d,]+) bytes asked, ([\d,]+) free on .*\(ENOSPC\)$/.exec(error.message) ?? []
  t.true(Number(asked.replaceAll(',', '')) > 2 ** 21, error.message)
  t.is(left, free.toLocaleString('en-US'))
  t.is((error as { syscall?: string }).syscall, 'posix_fallocate')
  t.deepEqual([readdirSync(directory), freeOf(directory), holdings(directory)], [[], free, before])
  using publisher = Publisher.create('small', bytes(2 ** 17), { directory, buffers: 2 })
  publisher.write(new Uint8Array(2 ** 17).fill(7))
})

onTmpfs('a filesystem that has no more files is ERR_NO_SPACE, and says so', '1m,nr_inodes=2', (t, { directory }) => {
  using publisher = Publisher.create('only', Pose, { directory, init: pose(1) })
  t.throws(() => Publisher.create('more', Pose, { directory }), { code: 'ERR_NO_SPACE', message: /no room for one more file/ })
  publisher.write(pose(2))
  t.deepEqual(readdirSync(directory), ['only'])
})

onTmpfs('what cannot be replaced for lack of room stays as it was', '1m', (t, { directory }) => {
  Publisher.create('pose', Pose, { directory, init: pose(1) }).close({ keep: true })
  using consumer = Consumer.open('pose', Pose, { directory })
  const before = [readdirSync(directory), freeOf(directory), holdings(directory)]
  t.throws(() => Publisher.create('pose', bytes(2 ** 20), { directory, buffers: 2 }), { code: 'ERR_NO_SPACE' })
  t.deepEqual([readdirSync(directory), freeOf(directory), holdings(directory)], before)
  using publisher = Publisher.create('pose', Pose, { directory })
  t.true(publisher.adopted)
  t.deepEqual(consumer.read(), pose(1))
})

onTmpfs('a filesystem that may only be read is ERR_READ_ONLY_FILESYSTEM', '1m', async (t, tmpfs, scene) => {
  const { directory } = tmpfs
  const child = scene.program(process.execPath, [fileURLToPath(new URL('./children/standby.js', import.meta.url)), directory, 1])
  await child.says('waiting')
  await child.says('publisher')
  await child.end()
  tmpfs.remountReadOnly()
  const refused = { code: 'ERR_READ_ONLY_FILESYSTEM' }
  using reader = await Consumer.waitAndOpen('pose', Pose, { directory, readOnly: true, timeout: 0 })
  const before = holdings(directory)
  t.throws(() => Publisher.create('new', Pose, { directory }), refused)
  t.throws(() => Publisher.create('pose', Pose, { directory }), refused)
  t.throws(() => Consumer.open('pose', Pose, { directory }), { ...refused, message: /readOnly/ })
  await t.throwsAsync(Consumer.waitAndOpen('pose', Pose, { directory }), refused)
  await t.throwsAsync(Publisher.standby('pose', Pose, { directory }), refused)
  t.deepEqual(holdings(directory), before)
  t.deepEqual(reader.read(), pose(1))
})

scene('a directory that is not there is ERR_NOT_FOUND and named', async (t, scene) => {
  using file = publications(scene.directory)
  const before = holdings(scene.directory)
  for (const directory of [join(scene.directory, 'none'), join(scene.directory, 'pose')]) {
    const missing = { code: 'ERR_NOT_FOUND', message: new RegExp(`there is no directory ${directory}`) }
    t.throws(() => Publisher.create('new', Pose, { directory }), missing)
    t.throws(() => Consumer.open('new', Pose, { directory }), missing)
    t.throws(() => Consumer.openDynamic('new', { directory, readOnly: true }), missing)
    await t.throwsAsync(Publisher.standby('new', Pose, { directory }), missing)
  }
  t.deepEqual(holdings(scene.directory), before)
  file[Symbol.dispose]()
  scene.remove('left')
})

scene('out of descriptors is ERR_TOO_MANY_FILES, and loses none', async (t, scene) => {
  using _ = publications(scene.directory)
  const child = limited(scene, '-n 100', 'descriptors')
  const results = await tried(child)
  await child.succeeds()
  t.is(results.length, 8)
  for (const { name, codes, lost } of results as unknown as { name: string; codes: (string | null)[]; lost: number }[]) {
    t.true(codes.length > 1, name)
    t.is(codes.pop(), null, `${name} succeeds in the end`)
    t.deepEqual([...new Set(codes)], ['ERR_TOO_MANY_FILES'], name)
    t.is(lost, 0, name)
  }
  t.deepEqual(scene.names(), ['left', 'pose'])
  scene.remove('left')
})

scene('out of address space is ERR_ADDRESS_SPACE and names the limit', async (t, scene) => {
  using _ = publications(scene.directory)
  const child = limited(scene, '-v 16000000', 'address-space')
  const results = await tried(child)
  await child.succeeds()
  const [wrote, again] = results.splice(-2)
  for (const { name, code, message, before, after } of results) {
    t.deepEqual(after, before, String(name))
    if (name === 'open, readOnly')
      t.is(code, undefined) // it needs none of the engine's pages
    else {
      t.is(code, 'ERR_ADDRESS_SPACE', String(name))
      t.regex(String(message), /16,384,000,000 bytes \(ulimit -v\)/)
    }
  }
  t.like(wrote, { event: 'wrote', totalWrites: 2 })
  t.deepEqual(again, { event: 'again' })
  t.deepEqual(scene.names(), ['left', 'pose'])
  scene.remove('left')
})

scene('no room for the copies of a read-only consumer is ERR_ADDRESS_SPACE and names the limit', async (t, scene) => {
  Publisher.create('large', bytes(2 ** 25), { directory: scene.directory, buffers: 1 }).close({ keep: true })
  const child = limited(scene, '-v 4000000', 'copies')
  const [{ code, message, before, after } = {} as Message] = await tried(child)
  await child.succeeds()
  t.is(code, 'ERR_ADDRESS_SPACE')
  t.regex(String(message), /^open large: .* copy of 33,554,432 bytes in 4,096,000,000 bytes of address space \(ulimit -v\)$/)
  t.deepEqual(after, before)
  scene.remove('large')
})

scene('what one may not do is ERR_PERMISSION', async (t, scene) => {
  const { directory } = scene
  using publisher = publications(directory)
  chmodSync(join(directory, 'pose'), 0o444)
  chmodSync(join(directory, 'left'), 0)
  chmodSync(directory, 0o555)
  const child = scene.child('no-room', ['permission'])
  const results = await tried(child)
  await child.succeeds()
  chmodSync(directory, 0o700)
  for (const { name, code, message, before, after } of results) {
    t.deepEqual(after, before, String(name))
    if (name === 'open, readOnly') t.is(code, undefined)
    else if (name === 'standby for a living one')
      t.is(code, 'ERR_TIMEOUT') // it can be seen that it lives
    else t.is(code, 'ERR_PERMISSION', `${name}: ${message}`)
    if (name === 'open') t.regex(String(message), /readOnly/)
  }
  t.deepEqual(scene.names(), ['left', 'pose'])
  publisher[Symbol.dispose]()
  scene.remove('left')
})

scene('more than the container may have is ERR_NO_SPACE, where the kernel would kill', async (t, scene) => {
  const most = 128 * 2 ** 20
  const group = ControlGroup.make(scene.unique, most)
  if (typeof group === 'string') {
    t.log(`skipped, ${group}`)
    t.pass()
    return
  }
  const child = scene.child('no-room-group', [2 * most])
  try {
    group.add(child.pid)
    child.tell('go')
    for (const what of ['publication', 'memfd', 'shared memory']) {
      const { code, message } = await child.says(what)
      t.is(code, 'ERR_NO_SPACE', what)
      const [, free = ''] = /([\d,]+) free/.exec(String(message)) ?? []
      t.true(Number(free.replaceAll(',', '')) <= most, String(message))
    }
    t.deepEqual(await child.says('little'), { event: 'little' })
    await child.succeeds()
  } finally {
    await child.end()
    await group.remove()
  }
})
