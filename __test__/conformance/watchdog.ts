/** A longer test is taken for one that hangs. */
const SECONDS = 300

/** What `work` comes to, or a failure when it hangs; the caller then ends the processes that it waits for. */
export async function bounded<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const bark = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`watchdog: not done after ${SECONDS} s`)), SECONDS * 1000)
  })
  work.catch(() => {}) // also when it fails after the bark
  try {
    return await Promise.race([work, bark])
  } finally {
    clearTimeout(timer)
  }
}
