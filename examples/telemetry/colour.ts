/** The colours, as parameters of the terminal's "select graphic rendition": of 256, and of 16. */
const CODES = {
  plain: ['', ''],
  strong: ['1', '1'],
  faint: ['38;5;244', '90'],
  calm: ['38;5;78', '32'],
  brisk: ['38;5;220', '33'],
  hot: ['38;5;203', '31'],
  memory: ['38;5;111', '34'],
  load: ['38;5;180', '33'],
  incoming: ['38;5;80', '36'],
  outgoing: ['38;5;176', '35'],
} as const

export type Colour = keyof typeof CODES

/** Puts text into a colour. */
export type Paint = (colour: Colour, text: string) => string

/** For a terminal of so many bits of colour; with fewer than 4 text stays as it is. */
export function painter(colourDepth: number): Paint {
  if (colourDepth < 4) return (_, text) => text
  const palette = colourDepth < 8 ? 1 : 0
  return (colour, text) => {
    const code = CODES[colour][palette]
    return code === '' || text.trim() === '' ? text : `\x1b[${code}m${text}\x1b[0m`
  }
}

/** From calm to hot. */
export function heat(percent: number): Colour {
  if (percent >= 85) return 'hot'
  return percent >= 55 ? 'brisk' : 'calm'
}
