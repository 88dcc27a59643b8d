import { now } from './native.js'

const ATTEMPTS = 20

/** Milliseconds from some moment of this thread's. The engine's own: tests stop the clock of their program, and no wait may stop with it. */
export const elapsed = performance.now.bind(performance)

/** CLOCK_MONOTONIC in milliseconds, on macOS CLOCK_MONOTONIC_RAW: comparable between processes. */
export function clock(): number {
  return origin + elapsed()
}

// `elapsed` is the same clock with an origin of this thread's own, and costs a fraction of a native call. The narrowest of some
// pairs of readings tells the origin: the first use of the global alone takes a millisecond, and any one pair may be interrupted.
function calibrate(): number {
  let narrowest = Number.POSITIVE_INFINITY
  let origin = 0
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = elapsed()
    const native = now()
    const after = elapsed()
    if (after - before >= narrowest) continue
    narrowest = after - before
    origin = native - (before + after) / 2
  }
  return origin
}

const origin = calibrate()
