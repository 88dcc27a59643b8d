// A project of a user: it is type-checked against the packed package, declarations included.
import { array, Consumer, f64, i32, Publisher, struct, text } from 'pagecast'

const Pose = struct({ field1: i32, field2: f64, name: text(16), trail: array(f64, 8) })

using publisher = Publisher.create('pose', Pose, { init: { field1: 0, field2: 0, name: 'rig', trail: new Float64Array(8) } })
publisher.update({ field2: 3 })

using consumer = await Consumer.waitAndOpen('pose', Pose, { timeout: 5_000, signal: AbortSignal.timeout(1_000) })
const field2: number = consumer.read().field2
const name: string = consumer.withRead(value => value.name)

// @ts-expect-error The type has no such field.
consumer.read().field3

for await (const { trail } of consumer.changes()) console.log(field2, name, trail[0])
