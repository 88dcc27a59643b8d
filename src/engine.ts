/** The JavaScript engine's WebAssembly, as far as it is needed here: for its pages, and for instructions that JavaScript has as calls only. */
import { SegmentError } from './errors.js'

export interface EngineMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** Memory of more than 4 GiB, which counts its pages in bigints. */
export interface WideMemory {
  readonly buffer: ArrayBufferLike
  grow(pages: bigint): bigint
}

/** How many pages of 64 KiB. What is `shared` has a `SharedArrayBuffer`. */
export interface MemorySize<N> {
  readonly initial: N
  readonly maximum: N
  readonly shared?: boolean
}

export interface Engine {
  readonly Memory: {
    new (size: MemorySize<number>): EngineMemory
    new (size: MemorySize<bigint> & { readonly address: 'i64' }): WideMemory
  }
  readonly Module: new (code: Uint8Array) => object
  readonly Instance: new (module: object, imports: { segment: { memory: EngineMemory } }) => { readonly exports: object }
}

/** Throws `ERR_ENGINE_PAGES_UNAVAILABLE` where there is none, before anything is made that would need it. */
export function engineOf(what: string): Engine {
  const { WebAssembly: engine } = globalThis as { WebAssembly?: Engine }
  if (engine !== undefined) return engine
  throw new SegmentError(
    'ERR_ENGINE_PAGES_UNAVAILABLE',
    `${what}: this process has no WebAssembly (--jitless?), whose memory pagecast maps segments and regions over`,
  )
}
