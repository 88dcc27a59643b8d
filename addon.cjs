// The addon by way of native.cjs; where there is none, `loadError`, of which src/addon.ts makes an error of the library.
// Node 20 ends the process when CommonJS throws while a module imports it, even where somebody would have caught it.
'use strict'

const { readFileSync } = require('node:fs')

try {
  // As it stands: Node reads the names of the exports out of this line.
  module.exports = require('./native.cjs')
} catch (error) {
  exports.loadError = error
  // Bun links a module only to names that are there.
  const loader = readFileSync(require.resolve('./native.cjs'), 'utf8')
  for (const [, name] of loader.matchAll(/^module\.exports\.(\w+) = /gm)) exports[name] = undefined
}
