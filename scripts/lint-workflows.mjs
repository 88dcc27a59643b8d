// `npm run lint:workflows`: the hosted workflows, by actionlint, which comes through Go's module proxy.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure, main, root, runOrFail } from './run.mjs'
import { hasCommand } from './tools.mjs'

const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'
const folder = '.github/workflows'

await main(async () => {
  if (!(await hasCommand('go', ['version'])))
    throw new Failure('go is needed to lint the workflows, and was not found: see https://go.dev/dl')
  const files = readdirSync(join(root, folder)).map(name => join(folder, name))
  await runOrFail('go', ['run', ACTIONLINT, ...files])
  console.log(`actionlint has nothing to say about ${files.join(', ')}`)
})
