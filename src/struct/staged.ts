import type { FieldType, Writer } from './field-type.js'
import { Scratch } from './memory.js'

/**
 * Checks and writes to private memory, then copies: what was checked is what is copied, whatever the value's getters
 * do meanwhile, and a refused value changes nothing.
 */
export function staged(type: FieldType, byteOffset: number, name: string): Writer {
  const write = type.writer(0, name)
  const scratch = new Scratch(type.byteLength)
  return (memory, base, value, guard) => {
    const stage = scratch.take()
    const problem = write(stage, 0, value)
    if (problem === undefined) guard?.check() // once more: the value's getters may have ended the lock
    if (problem === undefined) memory.bytes.set(stage.bytes, base + byteOffset)
    scratch.giveBack(stage)
    return problem
  }
}
