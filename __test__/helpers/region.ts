import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PAGE_SIZE, type Region } from 'pagecast'

const made = new Set<string>()

/** Takes away the files that were made by the functions below. */
export function tidy(): void {
  for (const path of made) rmSync(path, { force: true })
  made.clear()
}

/** Where a file of the scene's is, or will be. */
export function pathOf(directory: string, name: string): string {
  const path = join(directory, name)
  made.add(path)
  return path
}

/** Bytes that are told apart from those of another place, and from zeros. */
export function pattern(byteLength: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => ((index * 7 + seed) % 255) + 1)
}

/** A file with these bytes. */
export function fileOf(directory: string, content: Uint8Array | string, name = 'file'): string {
  const path = pathOf(directory, name)
  writeFileSync(path, content)
  return path
}

/** A file that is long and has nothing in it. */
export function sparseFile(directory: string, byteLength: number, name = 'sparse'): string {
  const path = pathOf(directory, name)
  const fd = openSync(path, 'w+')
  ftruncateSync(fd, byteLength)
  closeSync(fd)
  return path
}

/** Between where engines ask for memory and where regions are for all processes: see `memory/window.rs`. */
let unused = 0x4200_0000_0000n

/** An address where nothing is, and nobody goes: one that merely was free a moment ago may be that of another thread's memory by now. */
export function freeAddress(): bigint {
  unused += 2n ** 30n
  return unused
}

/** What the kernel says is in the file. */
export function bytesOfFile(path: string, position: number, byteLength: number): number[] {
  const fd = openSync(path, 'r')
  const target = new Uint8Array(byteLength)
  const count = readSync(fd, target, 0, byteLength, position)
  closeSync(fd)
  return [...target.subarray(0, count)]
}

/** Another process cuts a file, or makes it longer. */
export function cut(path: string, byteLength: number): void {
  execFileSync('truncate', ['--no-create', `--size=${byteLength}`, path])
}

/** All members but `closed` and `close`. */
export function usesOf(region: Region): (() => unknown)[] {
  return [
    () => region.byteLength,
    () => region.address,
    () => region.access,
    () => region.sharing,
    () => region.byteOffset,
    () => region.fd,
    () => region.bytes,
    () => region.sharedBuffer,
    () => region.pages,
    () => region.view(Uint8Array),
    () => region.at(),
    () => region.absoluteAt(4096n),
    () => region.addressOf(0),
    () => region.offsetOf(4096n),
    () => region.read(),
    () => region.readInto(new Uint8Array(1)),
    () => region.write(new Uint8Array(1)),
    () => region.seek(0),
    () => region.tell(),
    () => region.flush(),
    () => region.handle(),
    () => region.resize(PAGE_SIZE),
    () => region.detach(),
  ]
}
