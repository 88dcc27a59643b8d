import { checkBoolean } from './arguments.js'
import { ArgumentError, attempt } from './errors.js'
import * as native from './native.js'

/**
 * Switches the fault guard on or off, for the whole process: all its threads, and what is mapped already. It is on unless the environment
 * says `PAGECAST_FAULT_GUARD=off`.
 *
 * While it is on, another process that cuts a segment's file short costs this one an `ERR_TRUNCATED`: a SIGBUS in pages that pagecast mapped
 * is handled, every other one goes to whoever handled SIGBUS before (sigaction(2)). While it is off, such an access ends the process.
 *
 * @throws `ERR_INVALID_ARGUMENT`
 */
export function setFaultGuard(enabled: boolean): void {
  if (checkBoolean('setFaultGuard', 'enabled', enabled) === undefined) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', 'setFaultGuard: enabled is undefined, expected true or false')
  }
  attempt(() => native.setFaultGuard(enabled))
}
