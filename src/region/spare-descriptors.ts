/**
 * The descriptors that regions of this thread could do without. The garbage collector, which closes forgotten regions, knows nothing of descriptors: when there are
 * too many, the regions that were mapped first give theirs up, so that a fresh one has its own for what it is told next.
 */
import { type NativeRegion, tooManyDescriptors } from '../native.js'

/** Most of one thread's; the native part counts those of the process. */
const MOST = 512

/** The oldest first. They keep no region alive. */
const spare = new Set<WeakRef<NativeRegion>>()

/** Takes a region's in; {@link takeOut} has to be told what is returned when the region is closed. */
export function takeIn(native: NativeRegion): WeakRef<NativeRegion> {
  const own = new WeakRef(native)
  spare.add(own)
  for (const oldest of spare) {
    if (spare.size <= MOST && !tooManyDescriptors()) break
    spare.delete(oldest)
    oldest.deref()?.spareDescriptor()
  }
  return own
}

export function takeOut(own: WeakRef<NativeRegion>): void {
  spare.delete(own)
}
