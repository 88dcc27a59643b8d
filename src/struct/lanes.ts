import { type Drain, type Fill, LANE_WIDTH, type Stretch } from './lane.js'
import * as lane0 from './lane.js?0&copy'
import * as lane1 from './lane.js?1&copy'
import * as lane2 from './lane.js?2&copy'
import * as lane3 from './lane.js?3&copy'
import * as lane4 from './lane.js?4&copy'
import * as lane5 from './lane.js?5&copy'
import * as lane6 from './lane.js?6&copy'
import * as lane7 from './lane.js?7&copy'

/** Reading and writing by lanes. */
export interface Track {
  readonly fill: Fill
  readonly drain: Drain
}

/** Structs with more fields stay with the loop: they would take everybody's lanes. */
const MOST_LANES = 3

// V8 keeps what it learns about a function with the function's place in the source, so every struct would spoil it for the
// next. A module imported under another address is another copy of the source, and learns for itself.
const free = [lane0, lane1, lane2, lane3, lane4, lane5, lane6, lane7]
const tracks = new Map<string, Track>()

/**
 * Lanes for the struct with this signature; `undefined` when there are too few left. Structs with equal signatures share:
 * one that is made anew with every reopening takes no more lanes.
 */
export function trackFor(signature: string, fields: Stretch): Track | undefined {
  const known = tracks.get(signature)
  if (known !== undefined) return known
  const count = Math.ceil(fields.names.length / LANE_WIDTH)
  if (count > MOST_LANES || count > free.length) return undefined
  const track = free.splice(0, count).reduceRight<Track | undefined>((rest, lane, index) => {
    const stretch = cut(fields, index * LANE_WIDTH)
    return { fill: lane.fillLane(stretch, rest?.fill), drain: lane.drainLane(stretch, rest?.drain) }
  }, undefined)
  if (track !== undefined) tracks.set(signature, track)
  return track
}

function cut({ Row, names, readers, writers }: Stretch, from: number): Stretch {
  const to = from + LANE_WIDTH
  return { Row, names: names.slice(from, to), readers: readers.slice(from, to), writers: writers.slice(from, to) }
}
