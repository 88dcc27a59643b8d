/**
 * Buffers that nobody can detach for a while. A buffer that is transferred takes its memory with it, which whoever gets it may free: nothing of ours may be mapped
 * over it then. Node-API has no call for this, so it is V8's own:
 *
 * - From V8 13 on a buffer can have a key (`v8::ArrayBuffer::SetDetachKey`), without which it cannot be detached. Before, V8 ends the process when somebody tries.
 * - Before, a buffer that a module of asm.js has had as its heap cannot be detached ever again. V8 12 takes only heaps of the sizes that asm.js allows; V8 11
 *   refuses the others as well, but too late for the buffer.
 *
 * Whether it worked V8 tells itself (`v8::ArrayBuffer::IsDetachable`), or a buffer that is put to the test.
 */
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'
import * as threads from 'node:worker_threads'
import { ArgumentError, SegmentError } from '../errors.js'
import { canDetach, setDetachKey } from '../native.js'
import { byteLengthOf, isGone } from './buffers.js'

const engine = Number.parseInt(process.versions.v8 ?? '', 10)
const hasKeys = engine >= 13
const takesAnyHeap = engine < 12

/** What asm.js allows: powers of two from the least one on to the unit, and multiples of that. */
const LEAST_HEAP = 2 ** 12
const HEAP_UNIT = 2 ** 24

/** How many have asked for a buffer to stay. */
const holders = new WeakMap<ArrayBuffer, number>()
/** Those that stay for good. */
const pinned = new WeakSet<ArrayBuffer>()
const KEY = Object.freeze({ holder: 'pagecast' })

/** Throws unless this engine can keep the buffer from being detached, and nobody else has it in hand. Changes nothing. */
export function checkHoldable(what: string, buffer: ArrayBuffer): void {
  if (!isAble()) {
    const message = 'this process cannot keep an ArrayBuffer from being transferred while something is mapped over it'
    const reason = canDetach(buffer) === null ? 'its engine is not V8' : 'its engine compiles no asm.js (--jitless, --no-validate-asm?)'
    throw unsupported(what, `${message}, as ${reason}: map a region, and use a view of it`)
  }
  if (canDetach(buffer) !== true && !pinned.has(buffer)) {
    throw new ArgumentError('ERR_INVALID_ARGUMENT', `${what}: the array's buffer is the memory of WebAssembly, of asm.js or of a region`)
  }
  const byteLength = byteLengthOf(buffer)
  if (hasKeys || takesAnyHeap || isHeap(byteLength)) return
  const [has, could] = [byteLength, nextHeap(byteLength)].map(bytes => bytes.toLocaleString('en-US'))
  const message = `Node ${process.versions.node} can keep only buffers of some sizes from being transferred; this one has ${has} bytes`
  throw unsupported(what, `${message}: make it ${could}`)
}

let able: boolean | undefined

/** Tried once, on a buffer of no importance. */
function isAble(): boolean {
  able ??= hasKeys ? keysHold(new ArrayBuffer(1)) : isPinned(new ArrayBuffer(LEAST_HEAP))
  return able
}

function keysHold(buffer: ArrayBuffer): boolean {
  if (!setDetachKey(buffer, KEY)) return false
  try {
    structuredClone(buffer, { transfer: [buffer] })
  } catch {
    // as it should be
  }
  return !isGone(buffer)
}

/** Keeps the buffer from being detached until as many {@link release}s have come. */
export function hold(what: string, buffer: ArrayBuffer): void {
  const count = holders.get(buffer) ?? 0
  if (count === 0) {
    if (hasKeys) setDetachKey(buffer, KEY)
    else pin(what, buffer)
  }
  holders.set(buffer, count + 1)
}

/** Ends one {@link hold}. A buffer that its owner had marked as untransferable stays that. */
export function release(buffer: ArrayBuffer): void {
  const count = (holders.get(buffer) ?? 1) - 1
  if (count > 0) return void holders.set(buffer, count)
  holders.delete(buffer)
  if (!hasKeys) return
  setDetachKey(buffer, undefined)
  const { isMarkedAsUntransferable: isMarked } = threads as { isMarkedAsUntransferable?: (object: object) => boolean }
  if (isMarked?.(buffer) === true) threads.markAsUntransferable(buffer)
}

type AsmModule = (stdlib: object, foreign: object, heap: ArrayBuffer) => unknown

// As the engine has it, whatever becomes of the global one.
const STDLIB = { Uint8Array }

let modules = 0
let forHeaps: AsmModule | undefined

/** A module that does nothing. No two have the same source, as the engine would know the second one by the first. */
function compile(): AsmModule {
  modules += 1
  const source = `(function Heap${modules}(stdlib, foreign, heap) {
    'use asm'
    var bytes = new stdlib.Uint8Array(heap)
    function first() { return bytes[0] | 0 }
    return { first: first }
  })`
  return new Script(source).runInThisContext() as AsmModule
}

/** Makes it a heap, for good; whether that was enough. */
function isPinned(buffer: ArrayBuffer): boolean {
  if (isHeap(byteLengthOf(buffer))) {
    const module = forHeaps ?? compile()
    forHeaps = undefined // after a heap that it refused, the engine no longer takes it for asm.js
    module(STDLIB, {}, buffer)
    if (canDetach(buffer) === false) forHeaps = module
  } else {
    setFlagsFromString('--suppress-asm-messages') // that the heap's size is not allowed
    compile()(STDLIB, {}, buffer) // which is the last time that the engine takes this one for asm.js
    setFlagsFromString('--no-suppress-asm-messages')
  }
  return canDetach(buffer) === false
}

function pin(what: string, buffer: ArrayBuffer): void {
  if (pinned.has(buffer)) return
  if (!isPinned(buffer)) throw unsupported(what, "this process cannot keep the array's buffer from being transferred")
  pinned.add(buffer)
}

function isHeap(byteLength: number): boolean {
  return byteLength === nextHeap(byteLength)
}

/** The least size that asm.js allows and is not smaller. */
function nextHeap(byteLength: number): number {
  if (byteLength > HEAP_UNIT) return Math.ceil(byteLength / HEAP_UNIT) * HEAP_UNIT
  return Math.max(LEAST_HEAP, 2 ** Math.ceil(Math.log2(byteLength)))
}

function unsupported(what: string, fact: string): SegmentError {
  return new SegmentError('ERR_UNSUPPORTED', `${what}: ${fact}`)
}
