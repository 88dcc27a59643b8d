// The benches of the Rust core, which `scripts/prepare.mjs rust` has built.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const program = join(import.meta.dirname, '..', '.build', 'rust', 'bench')

export const RUST_BENCHES = ['rustRead', 'rustOptimisticRead', 'rustWrite']

export function rustCommand(name, isQuick) {
  return spawn(program, [name, ...(isQuick ? ['--quick'] : [])], { stdio: ['ignore', 'pipe', 'inherit'] })
}
