// `npm run build:wasm`: makes src/ordered-code.ts of src/ordered.wat.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import wabt from 'wabt'
import { root } from './run.mjs'

const source = 'src/ordered.wat'
const { parseWat } = await wabt()
const module = parseWat(source, readFileSync(join(root, source), 'utf8'), { threads: true })
module.validate()
const code = Buffer.from(module.toBinary({}).buffer).toString('base64')
writeFileSync(join(root, 'src/ordered-code.ts'), `// Made of ordered.wat by \`npm run build:wasm\`.\nexport const code =\n  '${code}'\n`)
