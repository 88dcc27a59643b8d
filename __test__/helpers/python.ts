import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Play, scene } from './scene.js'

const built = fileURLToPath(new URL('../../python/bin/python', import.meta.url))
const { PAGECAST_PYTHON: given = existsSync(built) ? built : '' } = process.env

/** A Python with numpy, see `scripts/python.mjs`, or why there is none. */
export const python = given === '' ? undefined : given
export const WITHOUT = 'skipped, there is no python3'

/** A test with Python; where there is none it says so. */
export function withPython(title: string, play: (...args: [...Parameters<Play>, python: string]) => Promise<void>): void {
  scene(`python: ${title}`, async (t, scene) => {
    if (python !== undefined) return play(t, scene, python)
    t.log(WITHOUT)
    t.pass()
  })
}
