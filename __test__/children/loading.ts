// Imports or requires the library where it cannot be had, and tells what it got: as JSON, on one line.
import { createRequire } from 'node:module'

const [platform, arch, way] = process.argv.slice(2)
if (platform !== undefined) Object.defineProperty(process, 'platform', { value: platform })
if (arch !== undefined) Object.defineProperty(process, 'arch', { value: arch })

try {
  const load = async () =>
    (way === 'require' ? createRequire(import.meta.url)('pagecast') : import('pagecast')) as Promise<typeof import('pagecast')>
  const { bytes, Publisher } = await load()
  Publisher.create('loading', bytes(8)).close()
  console.log(JSON.stringify({ code: 'none' }))
} catch (error) {
  const { name, code, message } = error as Error & { code?: string }
  console.log(JSON.stringify({ name, code, message }))
}
