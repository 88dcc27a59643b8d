// Starts a process that plays a role.
import { fork } from 'node:child_process'
import { join } from 'node:path'

const program = join(import.meta.dirname, 'roles.mjs')

/** Promises: `ready` once it says so, `answer` at its end; `go` starts those that wait for it, and `end` ends it. */
export function play(role, task) {
  const child = fork(program)
  child.send({ role, ...task })
  const ready = new Promise(resolve => child.once('message', resolve))
  const answer = new Promise((resolve, reject) => {
    child.on('message', message => message.answer !== undefined && resolve(message.answer))
    child.once('exit', code => reject(new Error(`${role} ended with ${code} and no answer`)))
  })
  return { ready, answer, go: () => child.send('go'), end: () => child.connected && child.disconnect() }
}
