// WebAssembly out of bounds before and after the fault guard is there, with a segment that is cut and a region that is written where it may only be
// read in between.
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { bytes, type PagecastError, Publisher, Region } from 'pagecast'

interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: { load(at: number): number } }
}

const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: Wasm }

// (module (memory 1) (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
const code = '0061736d0100000001060160017f017f03020100050301000107080104 6c6f616400000a0901070020002802000b'
const { load } = new wasm.Instance(new wasm.Module(Buffer.from(code.replaceAll(' ', ''), 'hex'))).exports

function trap(): string {
  try {
    return String(load(2 ** 30))
  } catch (error) {
    return (error as Error).constructor.name
  }
}

const [directory = ''] = process.argv.slice(2)
const before = [load(0), trap()]
const publisher = Publisher.create('value', bytes(5000), { directory, init: Uint8Array.of(1) })
const between = [load(0), trap()]
truncateSync(join(directory, 'value'), 4096)
let refused = ''
try {
  publisher.write(Uint8Array.of(2))
} catch (error) {
  refused = (error as PagecastError).code
}
publisher.close()
using region = Region.map({ size: 65_536, access: 'r' })
const after = [load(0), trap()]
region.bytes[0] = 1
let written = ''
try {
  region.tell()
} catch (error) {
  written = (error as PagecastError).code
}
const last = [load(0), trap()]
process.stdout.write(`${JSON.stringify({ event: 'done', before, between, refused, after, written, last })}\n`)
