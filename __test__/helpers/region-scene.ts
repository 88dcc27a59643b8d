import { tidy } from './region.js'
import { type Play, scene } from './scene.js'

/** A scene whose own files go with it. What else is left behind it tells. */
export function regions(title: string, play: Play, options?: { seconds?: number }): void {
  const playAndTidy: Play = async (t, scene) => {
    await play(t, scene)
    tidy()
  }
  scene(`region: ${title}`, playAndTidy, options)
}
