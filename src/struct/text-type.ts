import { FieldType, type Reader, type Writer } from './field-type.js'
import { checkLength } from './limits.js'
import type { Memory } from './memory.js'
import { Problem } from './problem.js'
import { staged } from './staged.js'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()
const LONE_SURROGATE = /\p{Surrogate}/u

/** Up to here a loop beats the call into the encoder. */
const SHORT = 24

/** Text of at most `byteLength` bytes of UTF-8. */
export class TextType extends FieldType<string, string, string, string> {
  readonly byteLength: number
  readonly alignment = 1
  readonly schema: { readonly text: number }

  constructor(byteLength: number) {
    super()
    checkLength('text', byteLength)
    this.byteLength = byteLength
    this.schema = { text: byteLength }
  }

  reader(byteOffset: number): Reader<string> {
    const { byteLength } = this
    return (memory, base) => read(memory.bytes, base + byteOffset, byteLength)
  }

  writer(byteOffset: number, name: string): Writer {
    const { byteLength } = this
    return (memory, base, value) => {
      if (typeof value !== 'string') return new Problem(name, `text of at most ${byteLength} bytes`, value)
      const at = base + byteOffset
      if (writeAscii(memory.bytes, at, value, byteLength)) return undefined
      const expected = writeUtf8(memory, at, value, byteLength)
      return expected === undefined ? undefined : new Problem(name, expected, value)
    }
  }

  override assigner(byteOffset: number, name: string): Writer {
    return staged(this, byteOffset, name)
  }

  toString(): string {
    return `text(${this.byteLength})`
  }
}

/** Where text is copied before it is decoded. */
let scratch = new Uint8Array(256)

// Copied, each byte once: a decoder may look twice, at bytes that another process changes in between, and believe its first look.
function read(bytes: Uint8Array, at: number, byteLength: number): string {
  if (scratch.length < byteLength) scratch = new Uint8Array(byteLength)
  let length = 0
  for (; length < byteLength; length++) {
    const byte = bytes[at + length] as number
    if (byte === 0) break
    scratch[length] = byte
  }
  return length === 0 ? '' : decoder.decode(scratch.subarray(0, length))
}

/** Whether it did: short text without NUL, of ASCII only. */
function writeAscii(bytes: Uint8Array, at: number, value: string, byteLength: number): boolean {
  const { length } = value
  if (length > SHORT || length > byteLength) return false
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index)
    if (code === 0 || code > 127) return false
    bytes[at + index] = code
  }
  clear(bytes, at + length, at + byteLength)
  return true
}

/** Gives what was expected when the text does not do. */
function writeUtf8({ bytes }: Memory, at: number, value: string, byteLength: number): string | undefined {
  if (value.includes('\0')) return 'text without NUL'
  if (LONE_SURROGATE.test(value)) return 'text without lone surrogates'
  const { read: taken, written } = encoder.encodeInto(value, bytes.subarray(at, at + byteLength))
  if (taken < value.length) return `text of at most ${byteLength} bytes, not of ${Buffer.byteLength(value)}`
  clear(bytes, at + written, at + byteLength)
  return undefined
}

function clear(bytes: Uint8Array, from: number, to: number): void {
  if (to - from > SHORT) bytes.fill(0, from, to)
  else for (let index = from; index < to; index++) bytes[index] = 0
}

/** Text of at most `byteLength` bytes of UTF-8, without NUL. Reads up to the first NUL; bytes that are no UTF-8 read as U+FFFD. */
export function text(byteLength: number): TextType {
  return new TextType(byteLength)
}
