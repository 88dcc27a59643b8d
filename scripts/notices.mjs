// `npm run notices`: writes THIRD-PARTY-NOTICES.md, the licenses of what is linked into the addons, which travel with each of them.
// cargo-about finds the texts in the crates themselves; it is installed into the user's cache where it is missing.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { platforms } from './platforms.mjs'
import { Failure, main, root, runOrFail } from './run.mjs'
import { cargoTool } from './tools.mjs'

export const NOTICES = 'THIRD-PARTY-NOTICES.md'
const path = join(root, NOTICES)
/** What is said of each crate, and looked for. */
const ENTRY = /^- (\S+) (\S+)$/gm

const HEAD = `# Third-party notices

The addon of pagecast is one file into which the crates below are linked. Written by \`npm run notices\` from what each of them brings along.`

const STANDARD_LIBRARY = `## The Rust standard library

Linked into every addon. Copyright (c) The Rust Project contributors, under the MIT license, whose terms are those below, or the Apache License 2.0, at your
option: https://github.com/rust-lang/rust/blob/main/COPYRIGHT. Of the crates that it is made of, those that are linked with it (among them addr2line, gimli,
hashbrown, libc, memchr, miniz_oxide, object, rustc-demangle) are under the MIT license, too.`

async function write() {
  const about = await cargoTool('cargo-about', '0.8.2')
  const command = [
    'generate',
    '--frozen',
    '--fail',
    '--manifest-path',
    'crates/node/Cargo.toml',
    '--config',
    'about.toml',
    '--format',
    'json',
  ]
  const { stdout } = await runOrFail(about, command, { stdout: null })
  writeFileSync(path, notices(JSON.parse(stdout).licenses, await linkedCrates()))
  await checkNotices()
}

let checked

/** Throws a `Failure` unless the notices are those of exactly the crates that are linked now. Looks once. */
export function checkNotices() {
  checked ??= check()
  return checked
}

async function check() {
  const told = [...readFileSync(path, 'utf8').matchAll(ENTRY)].map(([, name, version]) => `${name} ${version}`)
  const linked = await linkedCrates()
  const wrong = [...told.filter(crate => !linked.includes(crate)), ...linked.filter(crate => !told.includes(crate))]
  if (wrong.length > 0) throw new Failure(`${NOTICES} is out of date (${wrong.join(', ')}): npm run notices`)
}

/** Name and version of each, on any platform: without ours, and without what only runs while others are compiled. */
async function linkedCrates() {
  const found = new Set()
  for (const { triple } of platforms) {
    const tree = [
      'tree',
      '--locked',
      '--package',
      'pagecast-node',
      '--edges',
      'normal,no-proc-macro',
      '--target',
      triple,
      '--prefix',
      'none',
    ]
    const { stdout } = await runOrFail('cargo', [...tree, '--format', '{p}'], { stdout: null, stderr: null })
    for (const [, name, version] of stdout.matchAll(/^(\S+) v(\S+)(?! \(\/)/gm))
      if (!name.startsWith('pagecast')) found.add(`${name} ${version}`)
  }
  return [...found].sort()
}

export function notices(licenses, linked) {
  const sections = []
  for (const { name, text, source_path: source, used_by: users } of licenses) {
    const crates = users.map(({ crate }) => crate).filter(crate => linked.includes(`${crate.name} ${crate.version}`))
    if (crates.length > 0) sections.push(section(name, source ? text : named(text, crates), crates))
  }
  return `${[HEAD, STANDARD_LIBRARY, ...sections.sort()].join('\n\n')}\n`
}

/** Crates that bring no text along get that of their license: with their authors in it, where it would say "<copyright holders>". */
function named(text, crates) {
  const authors = [...new Set(crates.flatMap(crate => (crate.authors.length > 0 ? crate.authors : [`the authors of ${crate.repository}`])))]
  return text.replace(/^Copyright .*<.*>.*$/m, `Copyright (c) ${authors.join(', ')}`)
}

function section(name, text, crates) {
  const list = crates.map(crate => `- ${crate.name} ${crate.version}`).sort()
  return [
    `## ${list.map(entry => entry.split(' ')[1]).join(', ')}`,
    ...list,
    '',
    `${name}:`,
    '',
    '```text',
    text.trim().replace(/[ \t]+$/gm, ''),
    '```',
  ].join('\n')
}

if (process.argv[1] === import.meta.filename) await main(write)
