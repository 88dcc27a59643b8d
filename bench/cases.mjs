// Everything that is measured in JavaScript: for each bench its cases, each to be played in a process of its own.
import { attach } from './attach.mjs'
import { readInto, write } from './bytes.mjs'
import { fairness } from './fairness.mjs'
import { region } from './region.mjs'
import { readLock, readStruct, writeStruct } from './structs.mjs'
import { wake } from './wake.mjs'

/** A case takes options and gives its row. */
export const cases = { readInto, readLock, readStruct, write, writeStruct, wake, attach, fairness, region }
