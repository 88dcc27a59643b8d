import { readFileSync } from 'node:fs'
import test from 'ava'
import { consumerOperations } from './helpers/crash/consumers.js'
import { participantOperations } from './helpers/crash/participants.js'
import { publisherOperations } from './helpers/crash/publishers.js'

const document = readFileSync(new URL('../../docs/guarantees.md', import.meta.url), 'utf8')

/** Of `one; two (1 buffer)` what there is with so many buffers. */
function parts(cell: string, separator: string, buffers: number): string[] {
  return cell.split(separator).flatMap(part => {
    const [, title = '', only] = /^(.*?)(?: \((\d) buffers?\))?$/.exec(part) ?? []
    return only === undefined || Number(only) === buffers ? [title] : []
  })
}

/** The operations of the document's table in which somebody is killed, and the rows of each. */
function documented(role: string, buffers: number) {
  const lines = [...document.matchAll(new RegExp(`^\\| ${role} \\| (.+) \\| (.+) \\|$`, 'gm'))]
  return lines.flatMap(([, operations = '', rows = '']) =>
    parts(operations, '; ', buffers).map(title => ({ title, rows: parts(rows, ' · ', buffers) })),
  )
}

test('docs/guarantees.md names what is tested: participant killed', t => {
  const tested = participantOperations().map(({ title, rows }) => ({ title, rows: rows.map(row => row.title) }))
  t.true(tested.length > 0)
  t.deepEqual(documented('participant', 0), tested)
})

for (const [role, operationsOf] of Object.entries({ publisher: publisherOperations, consumer: consumerOperations })) {
  for (const buffers of [1, 3]) {
    test(`docs/guarantees.md names what is tested: ${role} killed, buffers: ${buffers}`, t => {
      const tested = operationsOf(buffers).map(({ title, rows }) => ({ title, rows: rows.map(row => row.title) }))
      t.deepEqual(documented(role, buffers), tested)
    })
  }
}
