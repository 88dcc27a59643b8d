const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1.5 GiB` */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${formatNumber(bytes / 1024 ** power)} ${UNITS[power]}`
}

/** Three digits or so: `1.23`, `12.3`, `123`, `1234`. */
export function formatNumber(number: number): string {
  if (number === 0) return '0'
  return number.toFixed(number < 9.995 ? 2 : number < 99.95 ? 1 : 0)
}

/** `7 %` */
export function formatPercent(percent: number): string {
  return `${percent.toFixed(0)} %`
}

/** Exactly `columns` wide. */
export function fit(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…`.slice(0, columns) : text.padEnd(columns)
}
