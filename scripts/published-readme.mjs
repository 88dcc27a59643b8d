// The README as it is published: npm's site and node_modules have none of the files that it links to.
import { Failure } from './run.mjs'

/** What is in parentheses is a path in this repository. */
const LINK = /(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)\s]+)\)/g

/** What is of use only to those who have the repository; there is nothing to build where it was installed from npm. */
const OURS = [/ Until the first release is on npm,[^.]*\./, /^## Work on it\n.*?(?=^## )/ms]

/**
 * Without what is of use only in the repository. Links into it become links to its pages at this version. While package.json names no repository, only their words stay,
 * which name the files.
 */
export function publishedReadme(text, { version, repository }) {
  const address = (repository?.url ?? '').replace(/^git\+/, '').replace(/\.git$/, '')
  const kept = OURS.reduce((left, part) => left.replace(part, ''), text)
  const published = kept.replace(LINK, (_, words, path) => (address ? `[${words}](${address}/blob/v${version}/${path})` : words))
  const broken = published.match(LINK)
  if (broken) throw new Failure(`the published README would link to ${broken.join(', ')}`)
  const ours = published.match(/.*(this repository|work.on.it).*/i)
  if (ours) throw new Failure(`the published README would say ${ours[0]}`)
  return published
}
