import { engineOf, type WideMemory } from '../engine.js'
import { allocate, ENGINE_PAGE, MOST_BYTES, release } from '../engine-memory.js'
import { SegmentError } from '../errors.js'
import { NativeHugePlace } from '../native.js'

// As long as anybody can reach the buffer, what it shows stays mapped. The native object refers to nothing here, so that all of it
// can be collected together.
const owners = new WeakMap<ArrayBufferLike, object>()

// V8 unmaps what it collects. Bun's allocator writes its notes into it, and gives it to others, while somebody's file is still mapped there: so
// with Bun nothing is collected before the region is closed.
const held = new Set<ArrayBufferLike>()
const isBun = 'bun' in process.versions
/** Whether pages are the engine's to take back only after the native part let go of them. */
export const isHeldUntilClosed = isBun
/** V8's memory begins at multiples of its own pages. Bun's allocator asks the kernel for room that begins as huge pages do, and puts a page of its own first. */
const canBeginAt = (byteOffset: number) => !isBun && byteOffset % ENGINE_PAGE === 0

// What outlives its region on purpose is never collected.
const given: ArrayBufferLike[] = []

/** What pages are asked for. */
export interface PagesWanted {
  readonly byteLength: number
  /** Whether for a `SharedArrayBuffer`. Default false. */
  readonly shared?: boolean
  /** If there are to be huge pages: where in its object the first byte is. */
  readonly hugeAt?: number | undefined
}

/** Pages of the engine's for one mapping of a region; the `Memory` they are of is not let out. */
export class RegionPages {
  readonly buffer: ArrayBufferLike
  /** All of them, for the native part. */
  readonly whole: Uint8Array
  readonly #release: () => void

  /** Fresh pages, whole ones of 64 KiB, of which there may be none left. Nothing is mapped over them yet. */
  constructor(what: string, { byteLength, shared = false, hugeAt }: PagesWanted) {
    const make = () => fresh(what, byteLength, shared)
    const { buffer, detach } = hugeAt !== undefined && canBeginAt(hugeAt) ? placed(make, hugeAt) : make()
    this.buffer = buffer
    this.#release = detach
    this.whole = new Uint8Array(buffer)
  }

  /** The buffer keeps `owner` alive from now on. */
  belongTo(owner: object): void {
    owners.set(this.buffer, owner)
    if (isHeldUntilClosed) held.add(this.buffer)
  }

  /** The native part has put private pages there: they may be collected. */
  forget(): void {
    held.delete(this.buffer)
  }

  /** They stay until the process (or, in a worker, the worker) ends. */
  giveAway(): void {
    given.push(this.buffer)
  }

  /**
   * Every view gets length 0, except those of a `SharedArrayBuffer`, which nobody can detach. The native part, when it closes, puts private
   * pages where the region was. Twice is once.
   */
  release(): void {
    this.#release()
  }
}

interface Made {
  readonly buffer: ArrayBufferLike
  readonly detach: () => void
}

function fresh(what: string, byteLength: number, shared: boolean): Made {
  if (byteLength > MOST_BYTES) return wide(what, Math.ceil(byteLength / ENGINE_PAGE), shared)
  const memory = allocate(engineOf(what), what, byteLength, shared)
  const { buffer } = memory
  return { buffer, detach: shared ? () => {} : () => release(memory, buffer, () => memory.grow(0)) }
}

/** Made again until there can be huge pages, or nothing is left to try. What is not taken is the engine's to free, afterwards: before, it would come again. */
function placed(make: () => Made, hugeAt: number): Made {
  const place = new NativeHugePlace(hugeAt)
  const misplaced: Made[] = []
  try {
    let made = make()
    while (place.isElsewhere(new Uint8Array(made.buffer))) {
      misplaced.push(made)
      const next = tryTo(make)
      if (next === undefined) break
      made = next
    }
    return made
  } finally {
    place.close()
    misplaced.length = 0
  }
}

type Growable = new (byteLength: number, options: { maxByteLength: number }) => SharedArrayBuffer

/** More than 4 GiB: memory that counts in 64 bits where the engine has it, else a growable `SharedArrayBuffer`, whose pages are its own, too. */
function wide(what: string, pages: number, shared: boolean): Made {
  const engine = engineOf(what)
  const size = { initial: BigInt(pages), maximum: BigInt(pages), shared }
  const byteLength = pages * ENGINE_PAGE
  const made = tryTo(() => detachable(new engine.Memory({ address: 'i64', ...size }), shared)) ?? tryTo(() => growable(byteLength))
  if (made !== undefined) return made
  const limit = `at most ${MOST_BYTES.toLocaleString('en-US')} bytes can be mapped at once by this version of this runtime, or no more are free`
  const instead = 'map parts, with offset and size; fresh memory has none, so make it a file or a SharedMemory'
  const message = `${byteLength.toLocaleString('en-US')} bytes asked, ${limit}; ${instead}`
  throw new SegmentError('ERR_ADDRESS_SPACE', `${what}: ${message}`)
}

function detachable(memory: WideMemory, shared: boolean): Made {
  const { buffer } = memory
  return { buffer, detach: shared ? () => {} : () => release(memory, buffer, () => memory.grow(0n)) }
}

function growable(byteLength: number): Made {
  return { buffer: new (SharedArrayBuffer as Growable)(byteLength, { maxByteLength: byteLength }), detach: () => {} }
}

/** An engine that has no such memory, or no room for it, says so in several ways. */
function tryTo(make: () => Made): Made | undefined {
  try {
    const made = make()
    return new Uint8Array(made.buffer).length === made.buffer.byteLength ? made : undefined
  } catch {
    return undefined
  }
}
