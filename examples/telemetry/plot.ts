const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** Plots numbers from 0 to `top` as columns, newest at the right: `rows` lines of `columns` characters, topmost first. */
export function plot(numbers: readonly number[], top: number, columns: number, rows = 1): string[] {
  const heights = numbers.map(number => heightOf(number, top, rows))
  const padding = ' '.repeat(Math.max(0, columns - heights.length))
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * 8
    return padding + heights.map(height => EIGHTHS[Math.min(8, Math.max(0, height - below))]).join('')
  })
}

/** In eighths of a row; what is not 0 is seen. */
function heightOf(number: number, top: number, rows: number): number {
  if (!(number > 0)) return 0
  return Math.max(1, Math.round(Math.min(1, number / top) * rows * 8))
}

/** A bar from left to right, `part` of `columns` long. */
export function bar(part: number, columns: number): string {
  const length = Math.round(Math.min(1, Math.max(0, part)) * columns)
  return '━'.repeat(length).padEnd(columns, '─')
}
