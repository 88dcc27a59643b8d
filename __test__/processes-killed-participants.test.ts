import { participantOperations } from './helpers/crash/participants.js'
import { rowsOf } from './helpers/crash/table.js'

rowsOf('participant', undefined, participantOperations())
