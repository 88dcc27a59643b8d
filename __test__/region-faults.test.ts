import { writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { PAGE_SIZE, Region } from 'pagecast'
import { cut, fileOf, pathOf, pattern } from './helpers/region.js'
import { expectations, type Facts, faults } from './helpers/region-faults.js'
import { regions } from './helpers/region-scene.js'
import { Cast } from './helpers/workers.js'

for (const [what, play] of Object.entries(faults)) {
  regions(`${what}, main thread`, (t, { directory }) => {
    t.deepEqual(play(directory), expectations[what] as Facts)
  })

  regions(`${what}, worker`, async (t, { directory }) => {
    const worker = new Cast('region-faults', { directory, what })
    t.deepEqual((await worker.says('facts')).facts as Facts, expectations[what] as Facts)
    await worker.end()
  })
}

for (const place of ['main', 'worker']) {
  for (const [role, left] of [
    ['look', 0],
    ['look', PAGE_SIZE],
    ['read', 0],
    ['write', PAGE_SIZE],
    ['shared', 0],
  ] as const) {
    regions(`a process that does nothing but ${role} while ${left} bytes are left, ${place} thread`, async (t, scene) => {
      const file = fileOf(scene.directory, pattern(2 ** 20))
      const child = scene.child('region-spin', [place, role])
      await child.says('ready')
      await new Promise(resolve => setTimeout(resolve, 20))
      cut(file, left)
      t.like(await child.says('refused'), { code: 'ERR_TRUNCATED', spoiled: 0, own: 11 })
      await child.succeeds()
    })
  }
}

regions('jobs of the thread pool and of the kernel live on when the file is cut', async (t, { directory }) => {
  const file = fileOf(directory, pattern(2 ** 20))
  const region = Region.map({ source: { file } })
  const { bytes } = region
  cut(file, PAGE_SIZE)
  const compressed = await promisify(deflate)(bytes)
  t.true(compressed.length > 0)
  t.throws(() => region.bytes, { code: 'ERR_TRUNCATED' })
  region.close()
  const again = Region.map({ source: { file: fileOf(directory, pattern(2 ** 20)) } })
  const whole = again.bytes
  cut(file, 0)
  try {
    writeFileSync(pathOf(directory, 'copy'), whole)
  } catch (error) {
    t.is((error as { code?: string }).code, 'EFAULT')
  }
  t.throws(() => again.read(), { code: 'ERR_TRUNCATED' })
  again.close()
})

regions('a file that grows again is not the same', (t, { directory }) => {
  const file = fileOf(directory, pattern(4 * PAGE_SIZE))
  const region = Region.map({ source: { file } })
  cut(file, PAGE_SIZE)
  cut(file, 4 * PAGE_SIZE)
  const first = region.bytes // nothing faulted, so nobody knows: what is there are the zeros of a longer file
  t.true(first.subarray(PAGE_SIZE).every(byte => byte === 0))
  using next = Region.map({ source: { file } })
  t.is(next.byteLength, 4 * PAGE_SIZE)
  region.close()
})

regions('without the guard a cut file ends the process', async (t, scene) => {
  const file = fileOf(scene.directory, pattern(2 ** 20))
  const child = scene.child('region-spin', ['main', 'stare'], { env: { PAGECAST_FAULT_GUARD: 'off' } })
  await child.says('ready')
  cut(file, 0)
  t.is((await child.exit).signal, 'SIGBUS')
})
