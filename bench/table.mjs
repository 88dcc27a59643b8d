// For people.
import { aimOf } from './aims.mjs'

const WIDTHS = [48, 9, 8, 10, 12, 12, 12]

export function heading() {
  return columns(['bench', 'bytes', 'buffers', 'consumers', 'median', 'plain copy', 'aim'])
}

export function line(row) {
  if (row.bench === 'fairness') return fairness(row)
  const [value, unit] = row.us === undefined ? [row.ns, 'ns'] : [row.us, 'µs']
  const measure = number => (number === undefined ? '' : `${Number(number.toPrecision(3))} ${unit}`)
  const { bytes = '', buffers = '', consumers = '' } = row
  return columns([nameOf(row), bytes, buffers, consumers, measure(value), measure(row.plainCopyNs ?? row.plainNs), measure(aimOf(row))])
}

function nameOf({ bench, text, what }) {
  if (bench === 'rustClock') return 'rustWrite (clock)' // the part of it that reads the clock
  const more = text ? 'text' : what
  return more ? `${bench} (${more})` : bench
}

function fairness({ bench, bytes, buffers, consumers, readerSharesPercent, publisherSharePercent, processors }) {
  const shares = `readers ${readerSharesPercent.join(', ')} %, publisher ${publisherSharePercent} % of what they get alone`
  return `${columns([bench, bytes, buffers, consumers])} ${shares}, on ${processors} processors (aim: each 10 %)`
}

function columns(cells) {
  return cells.map((cell, at) => (at === 0 ? String(cell).padEnd(WIDTHS[at]) : String(cell).padStart(WIDTHS[at]))).join('')
}
