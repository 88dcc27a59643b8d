import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytes, Consumer, Publisher } from 'pagecast'
import { Everything, everything } from './helpers/everything.js'
import { Pose, pose } from './helpers/pose.js'
import { scene } from './helpers/scene.js'

const { PAGECAST_RUST_EXAMPLES: examples = fileURLToPath(new URL('../rust/', import.meta.url)) } = process.env

scene('values go to another process and come back as they were', async (t, scene) => {
  const { directory } = scene
  using values = Publisher.create('values', Everything, { directory })
  using blobs = Publisher.create('blobs', bytes(100_000), { directory })
  const child = scene.child('mirror')
  await child.says('ready')
  using mirrored = Consumer.open('mirrored-values', Everything, { directory })
  using dynamic = Consumer.openDynamic('mirrored-values', { directory })
  using mirroredBlobs = Consumer.open('mirrored-blobs', bytes(100_000), { directory })
  const [valuesBack, blobsBack] = [mirrored.changes(), mirroredBlobs.changes()]
  for (const number of [0, 1, 100, 127]) {
    values.write(everything(number))
    t.deepEqual((await valuesBack.next()).value, everything(number))
    t.deepEqual(dynamic.read(), everything(number))
    const blob = new Uint8Array(number * 780).fill(number)
    blobs.write(blob)
    t.deepEqual((await blobsBack.next()).value, blob)
  }
  values.close()
  blobs.close()
  await child.succeeds()
  t.true(mirrored.closed)
})

scene('a Rust publisher is read here, by type and without', async (t, scene) => {
  const name = `${scene.unique}-rust`
  const child = scene.program(join(examples, 'publisher'), [name, '--count', 400, '--seconds', 4])
  using consumer = await Consumer.waitAndOpen(name, Pose, { exact: true, timeout: 60_000 })
  using dynamic = Consumer.openDynamic(name)
  t.is(dynamic.schema?.schemaJson, Pose.schemaJson)
  let last = -1
  for await (const { field1, field2, name: publisher, trail } of consumer.changes()) {
    t.true(field1 > last)
    t.is(publisher, 'rust')
    t.is(trail[0], field2)
    last = field1
  }
  t.is(last, 400)
  t.is((dynamic.readChange() as { field1: number }).field1, 400)
  await child.gone
})

scene('a Rust consumer reads what is published here', async (t, scene) => {
  const name = `${scene.unique}-typescript`
  const child = scene.program(join(examples, 'consumer'), [name, '--seconds', 60])
  const publisher = Publisher.create(name, Pose)
  const lines: string[] = []
  for (let number = 1; number <= 5; number++) {
    publisher.write(pose(number))
    lines.push(await child.line())
  }
  publisher.close()
  await child.succeeds()
  t.deepEqual(
    lines,
    [1, 2, 3, 4, 5].map(number => `${number} ${(number / 2).toFixed(3)} pose ${number} [${Array(8).fill(number.toFixed(3)).join(', ')}]`),
  )
})
