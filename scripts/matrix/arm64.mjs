// Node for arm64, by Debian's emulator of processors and its libraries for arm64.
import { executableOf } from '../runtimes.mjs'
import { requireDebian } from '../tools.mjs'
import { writeWrapper } from './wrapper.mjs'

const EMULATOR = '/usr/bin/qemu-aarch64-static'
const LIBRARIES = '/usr/aarch64-linux-gnu'
const libraries = ['libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libatomic1-arm64-cross', 'libgcc-s1-arm64-cross']

/** The program that runs those for arm64. */
export async function emulator() {
  await requireDebian(EMULATOR, ['qemu-user-static'])
  return EMULATOR
}

export async function emulated(name) {
  await emulator()
  await requireDebian(`${LIBRARIES}/lib/libatomic.so.1`, libraries)
  return writeWrapper(name, [EMULATOR, '-L', LIBRARIES, await executableOf(name)])
}
