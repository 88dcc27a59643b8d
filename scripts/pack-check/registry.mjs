// A registry on the loopback interface that has nothing but the tarballs it is given.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { basename } from 'node:path'
import { runOrFail } from '../run.mjs'

/** Resolves to its address, the requests for what it does not have, and how it is closed. */
export async function startRegistry(tarballs) {
  const packages = new Map()
  for (const path of tarballs) {
    const manifest = await manifestIn(path)
    packages.set(manifest.name, { manifest, path })
  }
  const refused = []
  const server = createServer((request, response) => {
    if (answer(packages, `http://${request.headers.host}`, request.url, response)) return
    refused.push(request.url)
    response.writeHead(404).end('{}')
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, refused, close: () => server.close() }
}

function answer(packages, origin, url, response) {
  const [name, file] = decodeURIComponent(url.slice(1)).split('/-/')
  const found = packages.get(name)
  if (!found) return false
  if (file) response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(readFileSync(found.path))
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(documentOf(found, origin)))
  return true
}

function documentOf({ manifest, path }, origin) {
  const { name, version } = manifest
  const integrity = `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`
  const dist = { tarball: `${origin}/${name}/-/${basename(path)}`, integrity }
  return { name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }
}

async function manifestIn(path) {
  const { stdout } = await runOrFail('tar', ['-xzOf', path, 'package/package.json'], { stdout: null })
  return JSON.parse(stdout)
}
