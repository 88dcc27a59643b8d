// The README as it is published: npm's site and node_modules have none of the files that it links to.
import { Failure } from './run.mjs'

/** What is in parentheses is a path in this repository. */
const LINK = /(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)\s]+)\)/g

/**
 * Links into the repository become links to its pages at this version. While package.json names no repository, only their words stay,
 * which name the files.
 */
export function publishedReadme(text, { version, repository }) {
  const address = (repository?.url ?? '').replace(/^git\+/, '').replace(/\.git$/, '')
  const published = text.replace(LINK, (_, words, path) => (address ? `[${words}](${address}/blob/v${version}/${path})` : words))
  const broken = published.match(LINK)
  if (broken) throw new Failure(`the published README would link to ${broken.join(', ')}`)
  return published
}
