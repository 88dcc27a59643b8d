import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { markAsUntransferable } from 'node:worker_threads'
import { deflate, gzipSync, inflateSync } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import { PAGE_SIZE, PagecastError, Region, type RegionSource, SharedMemory } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { arrayFor, detaching, transfers } from './helpers/overlay.js'
import { cut, fileOf, pathOf, pattern, sparseFile } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'
import { Cast } from './helpers/workers.js'

const INVALID = 'ERR_INVALID_ARGUMENT'
/** Whether a buffer can be transferred again afterwards, and may be of any size: from V8 13 on. */
const hasKeys = Number.parseInt(process.versions.v8, 10) >= 13
const PAGES = 8
const LENGTH = PAGES * PAGE_SIZE

const exitProgram = new URL('./children/region-overlay-exit.js', import.meta.url).pathname

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

/** Where the whole pages of an array begin and end, as its overlay says. */
const range = ({ byteOffset, byteLength }: { byteOffset: number; byteLength: number }) => [byteOffset, byteOffset + byteLength] as const

function refused(t: ExecutionContext, code: string, call: () => unknown, message = ''): void {
  const error = t.throws(call, { code }, message) as PagecastError
  t.true(error instanceof PagecastError)
  t.regex(error.message, /^(overlay|map|region of)[^:]*: ./, message)
}

regions('an array shares its whole pages with whatever a region can be of', (t, { directory }) => {
  const memory = SharedMemory.open('object', 'x+', { directory, size: LENGTH })
  const fd = openSync(sparseFile(directory, LENGTH, 'descriptor'), 'r+')
  const sources: RegionSource[] = [
    'anonymous',
    'memfd',
    { memfd: 'label' },
    'temporary',
    { temporary: directory },
    { file: sparseFile(directory, LENGTH, 'sparse') },
    { file: pathOf(directory, 'made'), create: true },
    { shm: 'object', directory },
    { fd },
    memory,
  ]
  for (const source of sources) {
    const array = arrayFor(LENGTH).fill(1)
    const overlay = Region.overlay(array, { source })
    const [from, to] = range(overlay)
    t.is(overlay.array, array)
    t.true(from < PAGE_SIZE && to <= array.length && to - from === array.length - PAGE_SIZE, `${from} to ${to}`)
    t.is(overlay.address % BigInt(PAGE_SIZE), 0n)
    t.deepEqual([array[from - 1] ?? 1, array[from], array[to - 1], array[to] ?? 1], [1, 0, 0, 1], 'what is in the object shows')
    using other = Region.map({ source: { fd: overlay.fd }, size: overlay.byteLength })
    other.bytes.set(pattern(overlay.byteLength))
    t.deepEqual(overlay.bytes, pattern(overlay.byteLength))
    t.deepEqual(array.subarray(from, to), pattern(overlay.byteLength))
    array[from] = 77
    t.is(other.bytes[0], 77)
    overlay.close()
    other.bytes.fill(9)
    t.deepEqual([array[from], array[to - 1]], [77, pattern(to - from)[to - from - 1]], 'and stays when it is over')
    array.fill(5)
    t.is(other.bytes[0], 9, 'the array is nobody else’s then')
    other.bytes.fill(0)
  }
  memory.unlink()
  memory.close()
  closeSync(fd)
})

regions('without a size it is the same of all arrays of one length, wherever they begin', (t, { directory }) => {
  const file = fileOf(directory, pattern(PAGE_SIZE))
  const found = new Set<number>()
  for (let made = 0; made < 2000; made++) {
    using overlay = Region.overlay(new Float32Array(PAGE_SIZE / 2), { source: { file } })
    found.add(overlay.byteLength)
  }
  t.deepEqual([...found], [PAGE_SIZE])
  const short = new Uint8Array(2 * PAGE_SIZE - 2)
  refused(t, 'ERR_INVALID_SIZE', () => Region.overlay(short, { source: 'memfd' }), 'too short to be sure of a page')
})

regions('a batch of numbers is filled in one process and read in another', async (t, scene) => {
  const [elements, name] = [40_000, 'batch']
  using memory = SharedMemory.open(name, 'x+', { directory: scene.directory, size: elements * 4 })
  const peers = [scene.child('region-overlay-peer', [name, elements]), scene.child('region-overlay-peer', [name, elements])] as const
  for (const peer of peers) {
    const { byteOffset, byteLength } = await peer.says('mapped')
    t.deepEqual([(byteOffset as number) % 4, byteLength], [0, elements * 4])
  }
  const [writer, reader] = peers
  const batch = new Float32Array(arrayFor(elements * 4 + PAGE_SIZE).buffer)
  const overlay = Region.overlay(batch, { source: memory, size: elements * 4 })
  for (const from of [1, 1000]) {
    writer.tell(`fill ${from}`)
    await writer.says('filled')
    const expected = Float32Array.from({ length: elements }, (_, index) => from + index / 2)
    reader.tell('sum')
    t.deepEqual(await reader.says('sum'), { event: 'sum', sum: expected.reduce((sum, number) => sum + number, 0), before: -1 })
    t.deepEqual(overlay.view(Float32Array), expected)
    t.is(batch[overlay.byteOffset / 4 + 2], from + 1)
  }
  reader.tell('close')
  t.deepEqual(await reader.says('closed'), { event: 'closed', first: 1000, last: 1000 + (elements - 1) / 2 })
  writer.tell('fill 5')
  await writer.says('filled')
  t.is(overlay.view(Float32Array)[0], 5, 'the others are as they were')
  for (const peer of peers) peer.tell()
  await reader.succeeds()
  await writer.succeeds()
  overlay.close()
  memory.unlink()
})

regions('what is in an array is kept if it is to be', (t, { directory }) => {
  const file = fileOf(directory, pattern(LENGTH))
  for (const size of [PAGE_SIZE, PAGE_SIZE + 10, 10]) {
    writeFileSync(file, pattern(LENGTH))
    const array = arrayFor(LENGTH).fill(250)
    using overlay = Region.overlay(array, { source: { file }, keep: true, offset: PAGE_SIZE, size })
    t.is(overlay.byteLength, size)
    t.true(overlay.bytes.every(byte => byte === 250) && overlay.bytes.length === size)
    const left = readFileSync(file)
    t.true(left.subarray(PAGE_SIZE, PAGE_SIZE + size).every(byte => byte === 250))
    t.deepEqual(left.subarray(0, PAGE_SIZE), Buffer.from(pattern(LENGTH).subarray(0, PAGE_SIZE)))
    t.deepEqual(left.subarray(PAGE_SIZE + size), Buffer.from(pattern(LENGTH).subarray(PAGE_SIZE + size)), 'and nothing else is changed')
  }
  refused(t, 'ERR_READ_ONLY', () => Region.overlay(arrayFor(LENGTH), { source: { file }, access: 'r', keep: true }))
})

regions('an overlay ends with what it shows, or with zeros', (t, { directory }) => {
  const file = fileOf(directory, pattern(LENGTH))
  const before = holdings(directory)
  const ends: [(overlay: ReturnType<typeof Region.overlay>) => void, boolean][] = [
    [overlay => overlay.close(), true],
    [overlay => overlay[Symbol.dispose](), true],
    [overlay => overlay.close({}), true],
    [overlay => overlay.close({ keep: true }), true],
    [overlay => overlay.close({ keep: false }), false],
  ]
  for (const [end, keeps] of ends) {
    const array = arrayFor(LENGTH).fill(1)
    const overlay = Region.overlay(array, { source: { file }, size: 3 * PAGE_SIZE })
    const [from, to] = range(overlay)
    const { bytes } = overlay
    end(overlay)
    overlay.close({ keep: false })
    t.true(overlay.closed)
    const expected = keeps ? pattern(3 * PAGE_SIZE) : new Uint8Array(3 * PAGE_SIZE)
    t.deepEqual(array.subarray(from, to), expected)
    t.deepEqual(bytes, expected, 'its bytes are a view of the array')
    t.true(array.subarray(0, from).every(byte => byte === 1) && array.subarray(to).every(byte => byte === 1))
    const uses = [
      () => overlay.byteOffset,
      () => overlay.byteLength,
      () => overlay.address,
      () => overlay.access,
      () => overlay.fd,
      () => overlay.bytes,
      () => overlay.pages,
      () => overlay.view(Uint8Array),
      () => overlay.flush(),
    ]
    for (const use of uses) t.throws(use, { code: 'ERR_DISPOSED' })
    array.fill(2)
  }
  t.deepEqual(holdings(directory), before)
  t.deepEqual(readFileSync(file), Buffer.from(pattern(LENGTH)))
  using overlay = Region.overlay(arrayFor(LENGTH), { source: { file }, size: PAGE_SIZE })
  for (const keep of [0, 1, 'true', null, {}]) t.throws(() => overlay.close({ keep: bad(keep) }), { code: INVALID })
  for (const options of [null, 5, 'keep', [], { keeps: true }]) t.throws(() => overlay.close(bad(options)), { code: INVALID })
  t.false(overlay.closed)
})

regions('every option of overlay is checked before anything is made', (t, { directory }) => {
  const before = holdings(directory)
  const array = arrayFor(LENGTH).fill(1)
  const attempt = (options: object) => () => Region.overlay(array, { source: { file: join(directory, 'made'), create: true }, ...options })
  for (const size of ['1', 1.5, Number.NaN, null, {}]) refused(t, INVALID, attempt({ size }), `size ${size}`)
  for (const size of [0, -1, LENGTH + 1, 2 ** 53]) refused(t, 'ERR_INVALID_SIZE', attempt({ size }), `size ${size}`)
  for (const offset of [1, -PAGE_SIZE, '0', Number.NaN]) refused(t, INVALID, attempt({ offset }), `offset ${offset}`)
  for (const access of ['w', '', null, 7]) refused(t, INVALID, attempt({ access }), `access ${access}`)
  for (const flag of [0, 'true', null]) {
    refused(t, INVALID, attempt({ keep: flag }))
    refused(t, INVALID, attempt({ reserve: flag }))
  }
  for (const source of [null, 5, 'file', {}, { file: '' }]) refused(t, INVALID, attempt({ source }))
  for (const option of ['sharing', 'address', 'placement', 'populate', 'lock', 'hugePages', 'privateTail', 'Keep']) {
    refused(t, INVALID, attempt({ [option]: true }), option)
  }
  for (const options of [null, 5, 'memfd', []]) refused(t, INVALID, () => Region.overlay(array, bad(options)))
  t.deepEqual(holdings(directory), before)
  t.true(array.every(byte => byte === 1))
})

regions('an array that cannot be mapped over is refused', async (t, { directory }) => {
  const before = holdings(directory)
  const overlay = (array: unknown) => () => Region.overlay(bad(array), { source: { file: join(directory, 'made'), create: true } })
  const noArrays = [undefined, null, 5, 'text', {}, [], new ArrayBuffer(LENGTH), { buffer: new ArrayBuffer(LENGTH), byteOffset: 0 }]
  for (const value of noArrays) refused(t, INVALID, overlay(value))
  for (const byteLength of [0, 1, PAGE_SIZE - 1]) refused(t, 'ERR_INVALID_SIZE', overlay(new Uint8Array(byteLength)), `${byteLength} bytes`)
  const whole = arrayFor(LENGTH)
  for (let begin = 0; begin < PAGE_SIZE; begin += 512) {
    refused(t, 'ERR_INVALID_SIZE', overlay(whole.subarray(begin, begin + PAGE_SIZE - 1)), 'less than a page of a larger buffer')
  }
  refused(t, INVALID, overlay(new Uint8Array(new SharedArrayBuffer(LENGTH))))
  const Growing = ArrayBuffer as unknown as new (byteLength: number, options: { maxByteLength: number }) => ArrayBuffer
  const resizable = new Growing(LENGTH, { maxByteLength: 2 * LENGTH })
  refused(t, INVALID, overlay(new Uint8Array(resizable)))
  refused(t, INVALID, overlay(new Float32Array(resizable, 0, 8)))
  Object.defineProperty(resizable, 'resizable', { value: false })
  refused(t, INVALID, overlay(new Uint8Array(resizable, 0, LENGTH)), 'whatever it says of itself')
  const stranger = new Growing(LENGTH, { maxByteLength: 2 * LENGTH })
  Object.setPrototypeOf(stranger, null)
  refused(t, INVALID, overlay(new Uint8Array(stranger, 0, LENGTH)), 'though it knows nothing of itself')
  const gone = arrayFor(LENGTH)
  const view = new DataView(gone.buffer)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  refused(t, INVALID, overlay(gone))
  refused(t, INVALID, overlay(view))
  const { WebAssembly: engine } = globalThis as unknown as { WebAssembly: { Memory: new (size: object) => { buffer: ArrayBuffer } } }
  refused(t, INVALID, overlay(new Uint8Array(new engine.Memory({ initial: 1 }).buffer)))
  using region = Region.map({ size: 65_536 })
  refused(t, INVALID, overlay(region.bytes))
  refused(t, INVALID, overlay(new Uint8Array(region.sharedBuffer)))
  region.close()
  t.deepEqual(holdings(directory), before)

  const array = arrayFor(LENGTH)
  const first = Region.overlay(array)
  refused(t, 'ERR_ADDRESS_IN_USE', overlay(array))
  refused(t, 'ERR_ADDRESS_IN_USE', overlay(new Uint16Array(array.buffer, 0, LENGTH / 2)))
  refused(t, 'ERR_ADDRESS_IN_USE', overlay(first.bytes.subarray(PAGE_SIZE)))
  first.close()
  Region.overlay(array).close()
  t.deepEqual(holdings(directory), before)
})

regions('an array is what the engine says of it, not what it says itself', t => {
  const lying: [string, unknown][] = [
    ['byteLength', 16],
    ['byteOffset', 7],
    ['length', 1e9],
    ['buffer', new ArrayBuffer(1)],
  ]
  for (const viewOf of [(buffer: ArrayBuffer) => new Uint8Array(buffer), (buffer: ArrayBuffer) => new DataView(buffer)]) {
    const honest = arrayFor(LENGTH)
    const { buffer } = honest
    const array = viewOf(buffer)
    for (const on of [array, buffer]) for (const [name, value] of lying) Object.defineProperty(on, name, { value })
    Object.setPrototypeOf(buffer, null)
    const overlay = Region.overlay(array, { source: 'memfd', size: PAGE_SIZE })
    const [from, to] = range(overlay)
    overlay.bytes.fill(7)
    overlay.close()
    t.true(honest.subarray(from, to).every(byte => byte === 7) && to - from === PAGE_SIZE)
    const all = Region.overlay(array)
    t.true(all.byteLength > LENGTH - 2 * PAGE_SIZE)
    all.close()
  }
  Region.overlay(arrayFor(LENGTH)).close()
})

regions('an array that is transferred while its overlay is being made is refused, and spoils nothing', (t, { directory }) => {
  const before = holdings(directory)
  for (const transfer of [false, true]) {
    const array = arrayFor(LENGTH)
    const source = {
      get memfd() {
        if (transfer) structuredClone(array.buffer, { transfer: [array.buffer] })
        return 'label'
      },
    }
    if (transfer) refused(t, INVALID, () => Region.overlay(array, { source }))
    else Region.overlay(array, { source }).close()
  }
  t.deepEqual(holdings(directory), before)
  Region.overlay(arrayFor(LENGTH)).close()
})

regions('what the system refuses leaves the array as it was', (t, { directory }) => {
  const array = arrayFor(LENGTH)
  array.set(pattern(array.length))
  const attempt = (options: object) => () => Region.overlay(array, options)
  const file = fileOf(directory, pattern(100))
  refused(t, 'ERR_NOT_FOUND', attempt({ source: { file: join(directory, 'missing') } }))
  refused(t, 'ERR_INVALID_SIZE', attempt({ source: { file } }), 'fewer bytes than there is room for')
  const fd = openSync(file, 'r')
  refused(t, 'ERR_PERMISSION', attempt({ source: { fd }, size: 100 }))
  closeSync(fd)
  refused(t, INVALID, attempt({ source: { file: '/dev/null' }, size: PAGE_SIZE }))
  refused(t, INVALID, attempt({ source: { file: directory } }))
  t.deepEqual(array, Uint8Array.from(pattern(array.length)))
  Region.overlay(array, { source: { file }, size: 100, access: 'r' }).close()
})

regions('a part of a larger buffer is overlaid for itself', (t, { directory }) => {
  const file = fileOf(directory, pattern(LENGTH))
  const whole = arrayFor(2 * LENGTH).fill(1)
  const left = whole.subarray(100, LENGTH)
  const right = new DataView(whole.buffer, LENGTH)
  const first = Region.overlay(left, { source: { file }, size: 2 * PAGE_SIZE })
  using second = Region.overlay(right, { source: { file }, size: 2 * PAGE_SIZE })
  first.bytes[0] = 99
  t.is(right.getUint8(second.byteOffset), 99)
  t.is(whole[100 + first.byteOffset], 99)
  t.is(second.array, right)
  const places = [
    range({ ...facts(first), byteOffset: 100 + first.byteOffset }),
    range({ ...facts(second), byteOffset: LENGTH + second.byteOffset }),
  ]
  const isShared = (index: number) => places.some(([from, to]) => index >= from && index < to)
  t.true(whole.every((byte, index) => isShared(index) || byte === 1))
  first.close()
  t.is(whole.buffer.byteLength, 2 * LENGTH)
  t.throws(() => first.bytes, { code: 'ERR_DISPOSED' })
  second.bytes[1] = 98
  t.not(whole[100 + 1], 98)
  structuredCloneQuietly(whole.buffer)
  t.is(whole.length, 2 * LENGTH, 'it stays as long as one of them is there')
  second.close()
  const buffer = Buffer.allocUnsafeSlow(16_384)
  using third = Region.overlay(buffer, { source: { file }, size: PAGE_SIZE })
  t.is(buffer[third.byteOffset], 99)
})

const facts = ({ byteOffset, byteLength }: { byteOffset: number; byteLength: number }) => ({ byteOffset, byteLength })

function structuredCloneQuietly(buffer: ArrayBuffer): void {
  try {
    structuredClone(buffer, { transfer: [buffer] })
  } catch {
    // newer engines refuse, older ones copy
  }
}

regions('nothing takes the memory away from an array that is overlaid', async (t, { directory }) => {
  const file = fileOf(directory, pattern(LENGTH))
  const control = await detaching(() => arrayFor(LENGTH).buffer)
  t.true(control.length >= 4, `a plain one is taken by ${control}`)
  for (const buffer of ['power of two', ...(hasKeys || process.version.startsWith('v20.') ? ['any'] : [])]) {
    const array = buffer === 'any' ? new Uint8Array(LENGTH + 4321) : arrayFor(LENGTH)
    const overlay = Region.overlay(array, { source: { file }, size: 3 * PAGE_SIZE })
    t.deepEqual(await detaching(() => array.buffer), [], buffer)
    t.deepEqual(overlay.bytes, pattern(3 * PAGE_SIZE))
    overlay.bytes[0] = 3
    t.is(readFileSync(file)[0], 3)
    overlay.bytes[0] = pattern(1)[0] as number
    overlay.close()
    structuredCloneQuietly(array.buffer)
    t.is(array.buffer.byteLength === 0, hasKeys, 'then it is as it was, where the engine can')
  }
})

regions('a buffer that was marked as untransferable stays that', async t => {
  const array = arrayFor(LENGTH)
  markAsUntransferable(array.buffer)
  const control = await detaching(() => {
    const { buffer } = arrayFor(LENGTH)
    markAsUntransferable(buffer)
    return buffer
  })
  Region.overlay(array).close()
  for (const name of Object.keys(transfers).filter(name => !control.includes(name))) {
    try {
      await transfers[name]?.(array.buffer)
    } catch {
      // refused
    }
    t.is(array.buffer.byteLength, array.length, name)
  }
})

regions('a size that this version cannot keep where it is says which it can', t => {
  const odd = () => Region.overlay(new Uint8Array(LENGTH + 4321)).close()
  if (hasKeys || process.version.startsWith('v20.')) {
    t.notThrows(odd)
    return
  }
  refused(t, 'ERR_UNSUPPORTED', odd)
  const { message } = t.throws(odd) as Error
  const advice = Number(/make it ([\d,]+)$/.exec(message)?.[1]?.replaceAll(',', ''))
  t.notThrows(() => Region.overlay(new Uint8Array(advice)).close(), message)
})

regions('where an engine cannot keep a buffer where it is, nothing is made', async (t, scene) => {
  const made = join(scene.directory, 'made')
  const child = scene.program(process.execPath, ['--jitless', '--no-validate-asm', exitProgram, made, 'create'])
  const { code } = await child.says(hasKeys ? 'overlaid' : 'refused')
  t.is(code, hasKeys ? undefined : 'ERR_UNSUPPORTED', child.account)
  await child.succeeds()
  t.is(existsSync(made), hasKeys)
  rmSync(made, { force: true })
})

regions('an array that was taken away in spite of all is left alone', t => {
  if (!hasKeys) {
    t.pass('nothing can take it away here')
    return
  }
  setFlagsFromString('--allow-natives-syntax')
  const unlock = new Function('buffer', '%ArrayBufferSetDetachKey(buffer, undefined)') as (buffer: ArrayBuffer) => void
  setFlagsFromString('--no-allow-natives-syntax')
  const array = arrayFor(LENGTH)
  const overlay = Region.overlay(array, { source: 'memfd' })
  using other = Region.map({ source: { fd: overlay.fd } })
  unlock(array.buffer)
  const moved = new Uint8Array(structuredClone(array.buffer, { transfer: [array.buffer] }))
  t.throws(() => overlay.close(), { code: 'ERR_UNMAPPED' })
  other.bytes[0] = 55
  t.true(moved.includes(55), 'it is still mapped where the memory is')
  t.true(overlay.closed)
  given.push(moved)
})

/** Never freed, as something is mapped over it. */
const given: unknown[] = []

regions('a file that is cut short', (t, { directory }) => {
  const file = fileOf(directory, pattern(4 * PAGE_SIZE))
  const array = arrayFor(LENGTH)
  const overlay = Region.overlay(array, { source: { file }, size: 4 * PAGE_SIZE })
  const [from] = range(overlay)
  cut(file, PAGE_SIZE)
  t.is(
    array.subarray(from + PAGE_SIZE, from + 4 * PAGE_SIZE).reduce((sum, byte) => sum + byte, 0),
    0,
  )
  for (const use of [() => overlay.bytes, () => overlay.pages, () => overlay.flush(), () => overlay.view(Uint8Array)]) {
    t.throws(use, { code: 'ERR_TRUNCATED' })
  }
  overlay.close()
  t.deepEqual([array[from], array[from + PAGE_SIZE]], [pattern(1)[0], 0])
  array.fill(1)
  t.is(readFileSync(file).length, PAGE_SIZE)
  const again = Region.overlay(array, { source: { file }, size: PAGE_SIZE })
  cut(file, 0)
  again.close()
  t.is(array[from], 0, 'also if nobody looked before')
})

regions('an array over what may not be written, or not be used', (t, { directory }) => {
  const file = fileOf(directory, pattern(4 * PAGE_SIZE))
  const array = arrayFor(LENGTH)
  const overlay = Region.overlay(array, { source: { file }, size: 4 * PAGE_SIZE, access: 'r' })
  t.is(overlay.access, 'r')
  const [from, to] = range(overlay)
  array[from] = 250
  t.throws(() => overlay.bytes, { code: 'ERR_READ_ONLY' })
  t.is(array[from], pattern(1)[0], 'nobody else saw it, and neither does the array now')
  overlay.pages.slice(1, 2).protect('none')
  void array[from + PAGE_SIZE]
  t.throws(() => overlay.bytes, { code: 'ERR_NO_ACCESS' })
  overlay.pages.slice(2, 3).unmap()
  t.is(array[from + 2 * PAGE_SIZE], 0)
  array[from + 2 * PAGE_SIZE] = 9
  t.deepEqual(readFileSync(file), Buffer.from(pattern(4 * PAGE_SIZE)))
  t.is(overlay.pages.length, 4)
  t.is(overlay.pages.slice(0, 1).residency().length, 1)
  overlay.close()
  array.fill(3, to - PAGE_SIZE)
  t.deepEqual([array[from], array[from + PAGE_SIZE], array[from + 2 * PAGE_SIZE], array[to - 1]], [pattern(1)[0], 0, 9, 3])
})

regions('files, hashes, compression and copies take an overlaid array as any other', async (t, { directory }) => {
  const [file, copy] = [fileOf(directory, pattern(LENGTH)), pathOf(directory, 'copy')]
  const array = arrayFor(LENGTH)
  const overlay = Region.overlay(array, { source: { file }, size: LENGTH - PAGE_SIZE })
  const { bytes } = overlay
  const expected = pattern(LENGTH).subarray(0, LENGTH - PAGE_SIZE)
  const fd = openSync(copy, 'w+')
  t.is(writeSync(fd, bytes), bytes.length)
  t.deepEqual(readFileSync(copy), Buffer.from(expected))
  bytes.fill(0)
  t.is(readSync(fd, bytes, 0, bytes.length, 0), bytes.length)
  closeSync(fd)
  t.deepEqual(bytes, expected)
  t.is(createHash('sha1').update(bytes).digest('hex'), createHash('sha1').update(expected).digest('hex'))
  t.deepEqual(new Uint8Array(inflateSync(await promisify(deflate)(bytes))), expected)
  t.deepEqual(gzipSync(bytes), gzipSync(expected))
  t.deepEqual(structuredClone(overlay.bytes.slice()), expected)
  t.deepEqual(new Uint8Array(structuredClone(array)).subarray(...range(overlay)), expected, 'a clone is a copy')
  const jobs = Array.from({ length: 50 }, () => promisify(deflate)(bytes))
  overlay.close()
  for (const job of await Promise.all(jobs))
    t.deepEqual(new Uint8Array(inflateSync(job)), expected, 'a job that is under way sees the same')
})

regions('a worker that ends gives its arrays their memory back', async (t, { directory }) => {
  const file = fileOf(directory, pattern(LENGTH))
  for (const end of ['terminate', 'return', 'exit', 'throw', 'terminate'] as const) {
    const worker = new Cast('region-overlay-worker', { file, end, arrays: 40 })
    t.deepEqual(await worker.says('overlaid'), { event: 'overlaid', first: pattern(1)[0] })
    if (end === 'terminate') await worker.terminate()
    else {
      worker.tell('end')
      await worker.end().catch(error => t.is((error as Error).message, 'the end'))
    }
    const others = Array.from({ length: 200 }, () => new Uint8Array(LENGTH).fill(0xee)) // the memory that was freed
    t.true(others.every(bytes => bytes.at(-1) === 0xee))
    t.deepEqual(readFileSync(file), Buffer.from(pattern(LENGTH)))
  }
})

regions('a process that ends with an overlay ends well', async (t, scene) => {
  const file = fileOf(scene.directory, pattern(LENGTH))
  for (const end of ['return', 'exit', 'throw']) {
    const child = scene.program(process.execPath, [exitProgram, file, end])
    await child.says('overlaid')
    t.deepEqual(await child.exit, { code: end === 'throw' ? 1 : 0, signal: null }, child.account)
  }
  t.deepEqual(readFileSync(file), Buffer.from(pattern(LENGTH)))
})

regions(
  'an overlay that nobody closes stays, and memory is freed only after it',
  async (t, scene) => {
    const child = scene.program(process.execPath, [new URL('./children/region-overlay-life.js', import.meta.url).pathname, 2000])
    const { checks } = await child.says('done')
    t.true((checks as number) > 100, `${checks} checks`)
    await child.succeeds()
    await delay(0)
  },
  { seconds: 300 },
)
