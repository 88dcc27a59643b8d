import { tidy } from './region.js'
import { type Play, scene } from './scene.js'

interface Options {
  seconds?: number
}

/** A scene whose own files go with it. What else is left behind it tells. */
export function regions(title: string, play: Play, options?: Options): void {
  tidied(`region: ${title}`, play, options)
}

/** The same, of a mutex. */
export function mutexes(title: string, play: Play, options?: Options): void {
  tidied(`mutex: ${title}`, play, options)
}

function tidied(title: string, play: Play, options?: Options): void {
  const playAndTidy: Play = async (t, scene) => {
    await play(t, scene)
    tidy()
  }
  scene(title, playAndTidy, options)
}
