import type { MapOptions } from './map-options.js'

/** What memory can be mapped over: a typed array or `DataView`. */
export type LendableArray = ArrayBufferView

/** How {@link Region.overlay} maps. `source`, `access`, `offset` and `reserve` are as {@link MapOptions} has them. */
export interface OverlayOptions extends Pick<MapOptions, 'source' | 'access' | 'offset' | 'reserve'> {
  /**
   * Bytes. The rest of the last page is mapped with them. Default: the whole pages that lie within an array of this length wherever its memory begins, so that it is
   * the same in every process: one page fewer than it is long, if that is a whole number of pages. An empty file is made that long; one that has fewer
   * bytes, but some, is `ERR_INVALID_SIZE`.
   */
  size?: number
  /**
   * Whether what is in the array is kept: it goes to the object first, for all to see. Default false: the array shows what is in the object, and what was in it is
   * gone.
   */
  keep?: boolean
}

/** How {@link Overlay.close} closes. */
export interface OverlayCloseOptions {
  /** Whether the array keeps what it shows, in memory of its own. Default true. False is faster: zeros are there then. */
  keep?: boolean
}
