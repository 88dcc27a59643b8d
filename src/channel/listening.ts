/** Whoever listens goes on when it is forgotten, as a server does; at the end of the thread it takes its path away. */
const listening = new Set<Listening>()

interface Listening {
  close(): void
}

/** To be closed at the end. */
export function enlist(listener: Listening): void {
  if (listening.size === 0) process.on('exit', closeAll)
  listening.add(listener)
}

/** It was closed. */
export function delist(listener: Listening): void {
  listening.delete(listener)
  if (listening.size === 0) process.off('exit', closeAll)
}

function closeAll(): void {
  for (const listener of [...listening]) listener.close()
}
