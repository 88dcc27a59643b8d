import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { PAGE_SIZE, PagecastError, Region, roundToPageSize, SharedMemory } from 'pagecast'
import { holdings } from './helpers/holdings.js'
import { pathOf } from './helpers/region.js'
import { regions } from './helpers/region-scene.js'

// The binding would turn NaN into 0 and 1.5 into 1: what is refused here must be refused before it gets there.

/** Takes a value of any type where the compiler would not. */
const bad = (value: unknown) => value as never

const { NaN: NAN, POSITIVE_INFINITY: INFINITY, NEGATIVE_INFINITY } = Number
const NO_NUMBERS = [NAN, 1.5, -0.5, '4096', 4096n, null, true, {}, [4096], new Uint8Array(1)]
const NO_SIZES = [0, -0, -1, -4096, INFINITY, NEGATIVE_INFINITY, 2 ** 53, 2 ** 47 + 1, 1e300]
const NO_INTEGERS = [...NO_NUMBERS, INFINITY, NEGATIVE_INFINITY, 2 ** 53]
const NO_BOOLEANS = [0, 1, 'true', null, {}]
const NO_OBJECTS = [null, 5, 'options', true, []]
const NO_WORDS = ['', 'R', 'w', 'read', 'constructor', null, 1, true, {}, ['r']]
const NO_PATHS = ['', 'a\0b', null, 5, true, {}, undefined]
const NO_NAMES = ['', '.', '..', 'a/b', '/a', 'a\0b', 'a'.repeat(256), '.pagecast-x', '\ud800', undefined, null, 7, {}, ['a']]
const NO_ADDRESSES = [0n, -4096n, 1n, 4095n, 2n ** 64n, 4096, NAN, '4096', null, true, {}]
const NO_BYTES = [undefined, null, 5, 'text', [], {}, new ArrayBuffer(8), new Uint16Array(8), new DataView(new ArrayBuffer(8))]

const INVALID = 'ERR_INVALID_ARGUMENT'
const SIZE = 'ERR_INVALID_SIZE'
const RANGE = 'ERR_VALUE_RANGE'

/** It throws this code, in a message that begins with `subject`. */
function refused(t: ExecutionContext, code: string, subject: string, call: () => unknown): void {
  const error = t.throws(call, { code }, `${subject}: ${call}`) as PagecastError
  t.true(error instanceof PagecastError)
  t.true(error.message.startsWith(subject), error.message)
}

/** A call that would make a file if anything of it were done. */
const attempt = (directory: string, options: object) => () =>
  Region.map({ size: PAGE_SIZE, source: { file: join(directory, 'made'), create: true }, ...options })

const switches = ['reserve', 'populate', 'lock', 'hugePages', 'privateTail']

regions('every option of map is checked before anything is made', (t, scene) => {
  const { directory } = scene
  const what = `map ${join(directory, 'made')}: `
  const before = holdings(directory)
  for (const size of NO_NUMBERS) refused(t, INVALID, `${what}size is `, attempt(directory, { size }))
  for (const size of NO_SIZES) refused(t, SIZE, `${what}size is `, attempt(directory, { size }))
  for (const offset of [...NO_INTEGERS, -1, -PAGE_SIZE, 1, PAGE_SIZE + 1]) {
    refused(t, INVALID, `${what}offset is `, attempt(directory, { offset }))
  }
  for (const access of NO_WORDS) refused(t, INVALID, `${what}access is `, attempt(directory, { access }))
  for (const sharing of [...NO_WORDS, 'copy']) refused(t, INVALID, `${what}sharing is `, attempt(directory, { sharing }))
  for (const placement of [...NO_WORDS, 'fixed']) {
    refused(t, INVALID, `${what}placement is `, attempt(directory, { placement, address: 2n ** 40n }))
  }
  for (const address of NO_ADDRESSES) refused(t, INVALID, `${what}address is `, attempt(directory, { address }))
  for (const option of switches) {
    for (const flag of NO_BOOLEANS) refused(t, INVALID, `${what}${option} is `, attempt(directory, { [option]: flag }))
  }
  refused(t, INVALID, `${what}placement is hint, but there is no address`, attempt(directory, { placement: 'hint' }))
  t.deepEqual(scene.names(), [])
  t.deepEqual(holdings(directory), before)
})

regions('options that are no options', (t, { directory }) => {
  for (const options of NO_OBJECTS) refused(t, INVALID, 'map: options ', () => Region.map(bad(options)))
  refused(t, INVALID, 'map: there is no option "lenght"', attempt(directory, { lenght: 1 }))
  refused(t, SIZE, 'map anonymous memory: size is missing', () => Region.map(bad(undefined)))
  refused(t, SIZE, 'map anonymous memory: size is missing', () => Region.map({}))
  for (const options of NO_OBJECTS) refused(t, INVALID, 'reserve: options ', () => Region.reserve(PAGE_SIZE, bad(options)))
  refused(t, INVALID, 'reserve: there is no option ', () => Region.reserve(PAGE_SIZE, bad({ adress: 1n })))
})

regions('sources that are no sources', (t, { directory }) => {
  const map = (source: unknown) => () => Region.map({ size: PAGE_SIZE, source: bad(source) })
  const none = ['', 'Anonymous', 'file', null, 5, true, [], {}, { path: 'x' }, () => {}, { __proto__: { file: join(directory, 'made') } }]
  for (const source of none) refused(t, INVALID, 'map: source is ', map(source))
  for (const path of NO_PATHS) {
    refused(t, INVALID, 'map: source.file is ', map({ file: path, create: true }))
    refused(t, INVALID, 'map: source.temporary is ', map({ temporary: path }))
  }
  for (const label of [null, 5, undefined, {}, 'a\0b']) refused(t, INVALID, 'map: source.memfd is ', map({ memfd: label }))
  refused(t, INVALID, 'map: source.memfd has 250 bytes', map({ memfd: 'x'.repeat(250) }))
  for (const name of NO_NAMES) refused(t, 'ERR_INVALID_NAME', 'map: the name ', map({ shm: name, directory }))
  for (const wrong of ['', 'a\0b', null, 5, {}]) refused(t, INVALID, 'map name: directory is ', map({ shm: 'name', directory: wrong }))
  for (const fd of [...NO_INTEGERS, -1, 2 ** 31, undefined]) refused(t, INVALID, 'map: source.fd is ', map({ fd }))
  const file = join(directory, 'made')
  for (const mode of [...NO_INTEGERS, -1, 0o1000]) refused(t, INVALID, `map ${file}: source.mode is `, map({ file, create: true, mode }))
  for (const create of NO_BOOLEANS) refused(t, INVALID, `map ${file}: source.create is `, map({ file, create }))
  for (const source of [
    { file, creat: true },
    { file, fd: 0 },
    { memfd: 'a', create: true },
    { temporary: directory, shm: 'a' },
  ]) {
    refused(t, INVALID, 'map source: there is no option ', map(source))
  }
})

regions('what is made afresh has no offset and needs a size', (t, { directory }) => {
  for (const source of ['anonymous', 'memfd', 'temporary', { memfd: 'label' }, { temporary: directory }] as const) {
    t.throws(() => Region.map({ source }), { code: SIZE, message: /size is missing/ })
    t.throws(() => Region.map({ source, size: PAGE_SIZE, offset: PAGE_SIZE }), { code: INVALID, message: /offset/ })
    using region = Region.map({ source, size: PAGE_SIZE, offset: 0 })
    t.is(region.byteOffset, 0)
  }
})

regions('sizes and addresses of a reservation', t => {
  for (const size of NO_NUMBERS) refused(t, INVALID, 'reserve: size is ', () => Region.reserve(bad(size)))
  for (const size of NO_SIZES) refused(t, SIZE, 'reserve: size is ', () => Region.reserve(size))
  refused(t, SIZE, 'reserve: size is missing', () => Region.reserve(bad(undefined)))
  for (const address of NO_ADDRESSES)
    refused(t, INVALID, 'reserve: address is ', () => Region.reserve(PAGE_SIZE, { address: bad(address) }))
})

regions('arguments of its methods', t => {
  using region = Region.map({ size: 3 * PAGE_SIZE })
  const of = (method: string, argument: string) => `${method} anonymous memory: ${argument} is `
  for (const value of NO_INTEGERS.map(bad)) {
    refused(t, INVALID, of('at', 'begin'), () => region.at(value))
    refused(t, INVALID, of('at', 'end'), () => region.at(0, value))
    refused(t, INVALID, of('addressOf', 'byteOffset'), () => region.addressOf(value))
    refused(t, INVALID, of('seek', 'byteOffset'), () => region.seek(value))
    refused(t, INVALID, of('view', 'byteOffset'), () => region.view(Uint8Array, value))
    refused(t, INVALID, of('pages.slice', 'begin'), () => region.pages.slice(value))
    refused(t, INVALID, of('pages.slice', 'end'), () => region.pages.slice(0, value))
    refused(t, INVALID, of('pages.at', 'index'), () => region.pages.at(value))
  }
  for (const value of [...NO_INTEGERS, -1].map(bad)) {
    refused(t, INVALID, of('view', 'length'), () => region.view(Uint8Array, 0, value))
    refused(t, INVALID, of('read', 'byteLength'), () => region.read(value))
  }
  for (const value of [0, NAN, '0', null, true, {}].map(bad)) {
    refused(t, INVALID, of('offsetOf', 'address'), () => region.offsetOf(value))
    refused(t, INVALID, of('absoluteAt', 'begin'), () => region.absoluteAt(value))
    refused(t, INVALID, of('absoluteAt', 'end'), () => region.absoluteAt(region.address, value))
  }
  for (const value of NO_BYTES.map(bad)) {
    refused(t, INVALID, of('readInto', 'target'), () => region.readInto(value))
    refused(t, INVALID, of('write', 'source'), () => region.write(value))
  }
  for (const whence of ['', 'begin', 0, null, {}].map(bad)) refused(t, INVALID, of('seek', 'whence'), () => region.seek(0, whence))
  for (const type of [undefined, null, 'Uint8Array', {}, Array, ArrayBuffer, Buffer, Function].map(bad)) {
    refused(t, INVALID, of('view', 'type'), () => region.view(type))
  }
  for (const word of [...NO_WORDS, undefined].map(bad)) {
    refused(t, INVALID, of('pages.protect', 'access'), () => region.pages.protect(word))
    refused(t, INVALID, of('pages.advise', 'advice'), () => region.pages.advise(word))
  }
  for (const options of NO_OBJECTS.map(bad)) {
    refused(t, INVALID, 'pages.flush anonymous memory: options ', () => region.flush(options))
    refused(t, INVALID, 'pages.flush anonymous memory: options ', () => region.pages.flush(options))
  }
  for (const wait of NO_BOOLEANS.map(bad)) refused(t, INVALID, of('pages.flush', 'wait'), () => region.flush({ wait }))
  for (const size of NO_NUMBERS.map(bad)) refused(t, INVALID, of('resize', 'size'), () => region.resize(size))
  for (const size of NO_SIZES) refused(t, SIZE, of('resize', 'size'), () => region.resize(size))
  refused(t, SIZE, 'resize anonymous memory: size is missing', () => region.resize(bad(undefined)))
  t.is(region.byteLength, 3 * PAGE_SIZE)
  t.is(region.tell(), 0)
  t.true(region.bytes.every(byte => byte === 0))
})

regions('offsets and addresses outside of it', t => {
  using region = Region.map({ size: PAGE_SIZE + 100 })
  const { address, byteLength } = region
  for (const offset of [byteLength + 1, -byteLength - 1, 2 ** 40]) {
    refused(t, RANGE, 'addressOf ', () => region.addressOf(offset))
    refused(t, RANGE, 'view ', () => region.view(DataView, offset))
    refused(t, RANGE, 'seek ', () => region.seek(offset))
  }
  for (const outside of [address - 1n, address + BigInt(byteLength) + 1n, 0n, -1n, 2n ** 70n]) {
    refused(t, RANGE, 'offsetOf ', () => region.offsetOf(outside))
    refused(t, RANGE, 'absoluteAt ', () => region.absoluteAt(outside))
    refused(t, RANGE, 'absoluteAt ', () => region.absoluteAt(address, outside))
  }
  refused(t, RANGE, 'view ', () => region.view(Uint32Array, 0, byteLength / 4 + 1))
  refused(t, INVALID, 'view ', () => region.view(Uint32Array, 2))
  refused(t, SIZE, 'view ', () => region.view(Float64Array, 0))
  refused(t, SIZE, 'write ', () => region.write(new Uint8Array(byteLength + 1)))
  t.is(region.tell(), 0)
})

regions('detached arrays are no targets', t => {
  using region = Region.map({ size: PAGE_SIZE })
  const gone = new Uint8Array(8)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  refused(t, INVALID, 'readInto ', () => region.readInto(gone))
  refused(t, INVALID, 'write ', () => region.write(gone))
  t.is(region.readInto(new Uint8Array()), 0)
  t.is(region.write(new Uint8Array()), 0)
})

regions('arguments of shared memory', (t, scene) => {
  const { directory } = scene
  for (const name of NO_NAMES.map(bad)) {
    refused(t, 'ERR_INVALID_NAME', 'open: the name ', () => SharedMemory.open(name, 'x+', { directory }))
    refused(t, 'ERR_INVALID_NAME', 'unlink: the name ', () => SharedMemory.unlink(name, { directory }))
  }
  const open = (options: object, mode: unknown = 'x+') => SharedMemory.open('made', bad(mode), { directory, ...options })
  for (const mode of ['', 'rw', 'a', 'R', 'wx', null, 0, {}]) refused(t, INVALID, 'open made: mode is ', () => open({}, mode))
  for (const size of NO_NUMBERS) refused(t, INVALID, 'open made: size is ', () => open({ size }))
  for (const size of NO_SIZES.filter(size => size !== 0)) refused(t, SIZE, 'open made: size is ', () => open({ size }))
  for (const mode of [...NO_INTEGERS, -1, 0o1000]) refused(t, INVALID, 'open made: mode is ', () => open({ mode }))
  for (const reserve of NO_BOOLEANS) refused(t, INVALID, 'open made: reserve is ', () => open({ reserve }))
  for (const wrong of ['', 'a\0b', null, 5, {}]) {
    refused(t, INVALID, 'open made: directory is ', () => open({ directory: wrong }))
    refused(t, INVALID, 'unlink made: directory is ', () => SharedMemory.unlink('made', { directory: bad(wrong) }))
    refused(t, INVALID, 'list: directory is ', () => SharedMemory.list({ directory: bad(wrong) }))
  }
  for (const options of [...NO_OBJECTS, { sise: 1 }].map(bad)) {
    refused(t, INVALID, 'open made: ', () => SharedMemory.open('made', 'x+', options))
    refused(t, INVALID, 'unlink made: ', () => SharedMemory.unlink('made', options))
    refused(t, INVALID, 'list: ', () => SharedMemory.list(options))
  }
  for (const mode of ['r', 'r+']) refused(t, INVALID, 'open made: size is 4096', () => open({ size: 4096 }, mode))
  t.deepEqual(scene.names(), [])
})

regions('arguments of what is done to shared memory', (t, { directory }) => {
  using memory = SharedMemory.open('made', 'x+', { directory, size: PAGE_SIZE })
  for (const size of NO_NUMBERS.map(bad)) refused(t, INVALID, 'truncate made: size is ', () => memory.truncate(size))
  for (const size of NO_SIZES.filter(size => size !== 0)) refused(t, SIZE, 'truncate made: size is ', () => memory.truncate(size))
  refused(t, SIZE, 'truncate made: size is missing', () => memory.truncate(bad(undefined)))
  for (const options of NO_OBJECTS.map(bad)) refused(t, INVALID, 'map made: options ', () => memory.map(options))
  refused(t, INVALID, 'map made: there is no option "source"', () => memory.map(bad({ source: 'anonymous' })))
  refused(t, INVALID, 'map: there is no option "sise"', () => memory.map(bad({ sise: 1 })))
  refused(t, INVALID, 'map made: access is ', () => memory.map({ access: bad('w') }))
  t.is(memory.byteLength, PAGE_SIZE)
  memory.unlink()
})

regions('sizes that do not fit the object', (t, { directory }) => {
  const file = pathOf(directory, 'file')
  const before = holdings(directory)
  writeFileSync(file, new Uint8Array(2 * PAGE_SIZE + 1))
  t.throws(() => Region.map({ source: { file }, size: 3 * PAGE_SIZE }), { code: SIZE, message: /12,?288.*8,?193/s })
  t.throws(() => Region.map({ source: { file }, size: PAGE_SIZE, offset: 2 * PAGE_SIZE }), { code: SIZE })
  t.throws(() => Region.map({ source: { file }, offset: 3 * PAGE_SIZE }), { code: SIZE })
  writeFileSync(file, '')
  t.throws(() => Region.map({ source: { file } }), { code: SIZE })
  t.throws(() => Region.map({ source: { file: '/dev/zero' } }), { code: SIZE })
  t.throws(() => Region.map({ source: { file: join(directory, 'none') }, size: PAGE_SIZE }), { code: 'ERR_NOT_FOUND' })
  t.throws(() => Region.map({ source: { shm: 'none', directory }, size: PAGE_SIZE }), { code: 'ERR_NOT_FOUND' })
  t.deepEqual(holdings(directory), before)
  t.throws(() => Region.map({ source: { file: join(directory, 'unmade'), create: true } }), { code: SIZE })
})

regions('rounding to pages', t => {
  for (const [size, rounded] of [
    [0, 0],
    [-0, 0],
    [1, PAGE_SIZE],
    [PAGE_SIZE, PAGE_SIZE],
    [PAGE_SIZE + 1, 2 * PAGE_SIZE],
  ] as const) {
    t.is(roundToPageSize(size), rounded)
  }
  for (const size of NO_NUMBERS.map(bad)) refused(t, INVALID, 'roundToPageSize: size is ', () => roundToPageSize(size))
  for (const size of [-1, -PAGE_SIZE, INFINITY, NEGATIVE_INFINITY, Number.MAX_SAFE_INTEGER, 1e300]) {
    refused(t, SIZE, 'roundToPageSize: size is ', () => roundToPageSize(size))
  }
})
