// The one loop that everything is timed in.
const { now } = performance

/** What the operations return ends up here, so that none of them can be left out. */
export let sink = 0

const WARM_UP_MS = 400

/** Nanoseconds for each of `count` calls. */
function time(operation, count) {
  let sum = 0
  const start = now.call(performance)
  for (let index = 0; index < count; index++) sum += operation(index)
  const elapsed = now.call(performance) - start
  sink += sum
  return (elapsed * 1e6) / count
}

/**
 * Times all operations in short rounds, one after the other in every round, so that whatever else the machine does falls on all of
 * them alike. Gives each one's median and least time of a call in nanoseconds.
 */
export function measure(operations, { rounds, roundMs }) {
  for (const operation of operations) warmUp(operation, WARM_UP_MS)
  const counts = operations.map(operation => Math.max(1, Math.round((roundMs * 1e6) / time(operation, 5))))
  // The first guess was of cold caches.
  operations.forEach((operation, at) => {
    counts[at] = Math.max(1, Math.round((roundMs * 1e6) / time(operation, counts[at])))
  })
  const times = operations.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < operations.length; at++) times[at].push(time(operations[at], counts[at]))
  }
  return times.map(all => ({ median: median(all), least: Math.min(...all) }))
}

function warmUp(operation, ms) {
  const end = now.call(performance) + ms
  while (now.call(performance) < end) time(operation, 200)
}

export function median(numbers) {
  return quantile(numbers, 0.5)
}

export function quantile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** What a row says of times in microseconds that were taken one by one. */
export function spread(times) {
  return { us: rounded(median(times)), p99Us: rounded(quantile(times, 0.99)), leastUs: rounded(Math.min(...times)) }
}

export function rounded(number) {
  return Number(number.toPrecision(4))
}
