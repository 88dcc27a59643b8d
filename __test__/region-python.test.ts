import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { Region, SharedMemory } from 'pagecast'
import type { Child } from './helpers/child.js'
import { withPython } from './helpers/python.js'
import type { Scene } from './helpers/scene.js'

// The same memory as an array of numpy, in both directions: docs/coming-from.md says the same to users.

const script = fileURLToPath(new URL('../../__test__/children/region-peer.py', import.meta.url))
const COUNT = 1000
const SUM = (COUNT * (COUNT - 1)) / 4

/** Python knows only the default directory. */
function nameOf(t: ExecutionContext, scene: Scene): string {
  const name = `${scene.unique}-array`
  t.teardown(() => rmSync(join('/dev/shm', name), { force: true }))
  return name
}

/** A process in Python that has mapped it. */
async function peer(scene: Scene, python: string, args: readonly unknown[], descriptors?: readonly number[]): Promise<Child> {
  const child = scene.program(python, [script, ...args], {}, descriptors)
  await child.says('mapped')
  return child
}

async function ask(child: Child, words: string, event: 'got' | 'done' = 'got'): Promise<unknown> {
  child.tell(words)
  return (await child.says(event)).value
}

async function leave(child: Child): Promise<void> {
  child.tell()
  await child.succeeds()
}

const sumOf = (array: Float64Array): number => array.reduce((sum, value) => sum + value, 0)

withPython('an array that it made is mapped here, and each sees what the other writes', async (t, scene, python) => {
  const name = nameOf(t, scene)
  const child = await peer(scene, python, ['make', name, COUNT])
  using memory = SharedMemory.open(name)
  t.is(memory.byteLength, 8 * COUNT)
  t.is(memory.mode, 0o600)
  using region = memory.map()
  const array = region.view(Float64Array)
  t.deepEqual(
    [...array],
    Array.from({ length: COUNT }, (_, index) => index / 2),
  )

  array[7] = -1.25
  t.is(await ask(child, 'get 7'), -1.25)
  array[7] = 3.5
  await ask(child, 'double', 'done')
  t.is(array[7], 7)
  t.is(sumOf(array), 2 * SUM)

  using again = Region.map({ source: { shm: name } })
  again.view(Float64Array)[0] = 0.5
  t.is(await ask(child, 'sum'), 2 * SUM + 0.5)

  await ask(child, 'unlink', 'done')
  await leave(child)
  t.false(existsSync(join('/dev/shm', name)))
  t.throws(() => memory.unlink(), { code: 'ERR_NOT_FOUND' })
  t.is(array[COUNT - 1], COUNT - 1) // what is mapped stays
})

withPython('an object made here is an array there, and each sees what the other writes', async (t, scene, python) => {
  const name = nameOf(t, scene)
  using memory = SharedMemory.open(name, 'x', { size: 8 * COUNT })
  using region = memory.map()
  const array = region.view(Float64Array)
  for (let index = 0; index < COUNT; index++) array[index] = index / 2
  const child = await peer(scene, python, ['borrow', name])
  t.is(await ask(child, 'sum'), SUM)
  t.is(await ask(child, 'get 999'), 499.5)

  await ask(child, 'set 3 1e300', 'done')
  t.is(array[3], 1e300)
  array[3] = Number.NEGATIVE_INFINITY
  await ask(child, 'double', 'done')
  t.deepEqual([...array.subarray(0, 5)], [0, 1, 2, Number.NEGATIVE_INFINITY, 4])

  region.seek(8 * 3)
  region.write(new Uint8Array(Float64Array.of(2.25).buffer))
  t.is(await ask(child, 'get 3'), 2.25)

  await leave(child)
  t.true(existsSync(memory.path), 'it was told to leave the name alone')
  memory.unlink()
})

withPython('what it merely attached to loses its name when it ends, and stays mapped here', async (t, scene, python) => {
  const name = nameOf(t, scene)
  using memory = SharedMemory.open(name, 'x', { size: 8 * COUNT })
  using region = memory.map()
  const child = await peer(scene, python, ['attach', name])
  await ask(child, 'set 1 4.5', 'done')
  await leave(child)
  // 3.11 to 3.14 take it away; a later Python may have learned not to
  const isGone = !existsSync(memory.path)
  t.log(`the name is ${isGone ? 'gone' : 'there'}`)
  if (isGone) t.throws(() => memory.unlink(), { code: 'ERR_NOT_FOUND' })
  else memory.unlink()
  t.is(region.view(Float64Array)[1], 4.5)
})

withPython('a memfd that it inherits is its mmap', async (t, scene, python) => {
  using region = Region.map({ source: 'memfd', size: 8 * COUNT })
  const array = region.view(Float64Array)
  array[11] = 6.5
  const child = await peer(scene, python, ['inherit'], [region.fd])
  t.is(await ask(child, 'get 11'), 6.5)
  await ask(child, 'set 12 7.5', 'done')
  t.is(array[12], 7.5)
  await leave(child)
})
