import { setTimeout as delay } from 'node:timers/promises'

/** The part of one processor's time that this process uses meanwhile. */
async function load(milliseconds: number): Promise<number> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await delay(milliseconds)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / (performance.now() - start)
}

/** Until nothing in this process does anything for a second but sleep: what asks again and again never lets that be. */
export async function untilIdle(): Promise<void> {
  while ((await load(1000)) >= 0.1);
}
