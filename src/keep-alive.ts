// The engine's own: what a program's tests put in its place keeps nothing alive.
import { setInterval } from 'node:timers'

/** One timer per thread that keeps the event loop alive while somebody awaits a value. */
const LONGEST = 2 ** 31 - 1

let timer: NodeJS.Timeout | undefined
let holders = 0

/** Keeps the event loop alive until {@link release}. */
export function hold(): void {
  timer ??= setInterval(() => {}, LONGEST)
  if (holders === 0) timer.ref()
  holders += 1
}

/** Ends one {@link hold}. */
export function release(): void {
  holders -= 1
  if (holders === 0) timer?.unref()
}
