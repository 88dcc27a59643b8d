// `node bench/plot.mjs < results.jsonl > plot.svg`: what an operation costs against the size of the value, both axes logarithmic.
import { readFileSync } from 'node:fs'

const SERIES = [
  { label: 'plain copy', colour: '#888888', pick: row => row.bench === 'readInto' && row.buffers === 4, key: 'plainCopyNs' },
  { label: 'readInto, 4 buffers', colour: '#1f77b4', pick: row => row.bench === 'readInto' && row.buffers === 4 },
  { label: 'readInto, 1 buffer', colour: '#17becf', pick: row => row.bench === 'readInto' && row.buffers === 1 },
  { label: 'write, 4 buffers', colour: '#d62728', pick: row => row.bench === 'write' && row.buffers === 4 && row.consumers === 4 },
  { label: 'write, 1 buffer', colour: '#ff7f0e', pick: row => row.bench === 'write' && row.buffers === 1 },
  { label: 'Rust read, 4 buffers', colour: '#2ca02c', pick: row => row.bench === 'rustRead' && row.buffers === 4 },
  { label: 'Rust write, 4 buffers', colour: '#9467bd', pick: row => row.bench === 'rustWrite' && row.buffers === 4 && row.consumers === 1 },
]
const WIDTH = 760
const HEIGHT = 440
const FRAME = { left: 70, right: 190, top: 30, bottom: 50 }
const SIZES = [64, 1024, 65_536, 1_048_576]
const NAMES = ['64 B', '1 KiB', '64 KiB', '1 MiB']
const TIMES = [1, 10, 100, 1000, 10_000, 100_000]
const TIME_NAMES = ['1 ns', '10 ns', '100 ns', '1 µs', '10 µs', '100 µs']

const rows = readFileSync(0, 'utf8')
  .split('\n')
  .filter(text => text.startsWith('{'))
  .map(text => JSON.parse(text))

console.log(drawing().join('\n'))

function drawing() {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>Time of one operation against the size of the value</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...SIZES.map((size, at) => grid(x(size), FRAME.top, x(size), HEIGHT - FRAME.bottom, NAMES[at], x(size), HEIGHT - FRAME.bottom + 18)),
    ...TIMES.map((time, at) => grid(FRAME.left, y(time), WIDTH - FRAME.right, y(time), TIME_NAMES[at], FRAME.left - 28, y(time) + 4)),
    ...SERIES.flatMap(curve),
    '</svg>',
  ]
}

function curve({ label, colour, pick, key = 'ns' }) {
  const points = rows.filter(pick).sort((a, b) => a.bytes - b.bytes)
  const last = points.at(-1)
  if (last === undefined) return []
  const path = points.map(row => `${x(row.bytes)},${y(row[key])}`).join(' ')
  const at = FRAME.top + 12 + 20 * SERIES.findIndex(series => series.label === label)
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(row => `<circle cx="${x(row.bytes)}" cy="${y(row[key])}" r="3" fill="${colour}"/>`),
    `<rect x="${WIDTH - FRAME.right + 16}" y="${at - 9}" width="12" height="4" fill="${colour}"/>`,
    `<text x="${WIDTH - FRAME.right + 34}" y="${at - 2}">${label}</text>`,
  ]
}

function grid(x1, y1, x2, y2, text, textX, textY) {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#dddddd"/><text x="${textX}" y="${textY}" text-anchor="middle">${text}</text>`
}

function x(bytes) {
  return place(bytes, SIZES, FRAME.left, WIDTH - FRAME.right)
}

function y(ns) {
  return place(ns, TIMES, HEIGHT - FRAME.bottom, FRAME.top)
}

function place(value, ticks, from, to) {
  const [first, last] = [Math.log(ticks[0]), Math.log(ticks.at(-1))]
  return Math.round(10 * (from + ((Math.log(value) - first) / (last - first)) * (to - from))) / 10
}
