import { array, f64, i32, struct, text } from 'pagecast'

/** The value that most tests publish. */
export const Pose = struct({ field1: i32, field2: f64, name: text(16), trail: array(f64, 8) })

/** A whole value; `number` makes it recognisable. */
export function pose(number: number) {
  return { field1: number, field2: number / 2, name: `pose ${number}`, trail: new Float64Array(8).fill(number) }
}
