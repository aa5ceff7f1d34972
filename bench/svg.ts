/** Plain SVG text. Fonts are the reader's own, so nothing is loaded. */

export type Theme = 'light' | 'dark'

export interface Palette {
  readonly paper: string
  readonly text: string
  readonly faint: string
  readonly line: string
  readonly ours: string
  readonly others: string
  readonly floor: string
  readonly series: readonly string[]
}

export const PALETTES: Record<Theme, Palette> = {
  light: {
    paper: '#ffffff',
    text: '#1f2328',
    faint: '#59636e',
    line: '#d1d9e0',
    ours: '#d9480f',
    others: '#9aa7b4',
    floor: '#57606a',
    series: ['#d9480f', '#0969da', '#1a7f37', '#8250df'],
  },
  dark: {
    paper: '#0d1117',
    text: '#f0f6fc',
    faint: '#9198a1',
    line: '#3d444d',
    ours: '#ff922b',
    others: '#59636e',
    floor: '#9198a1',
    series: ['#ff922b', '#58a6ff', '#3fb950', '#bc8cff'],
  },
}

export interface TextStyle {
  readonly fill: string
  readonly size?: number
  readonly weight?: number
  readonly anchor?: 'start' | 'middle' | 'end'
}

export function text(x: number, y: number, content: string, style: TextStyle): string {
  const { fill, size = 13, weight = 400, anchor = 'start' } = style
  return `<text x="${round(x)}" y="${round(y)}" fill="${fill}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escaped(content)}</text>`
}

export function bar(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(Math.max(width, 1))}" height="${height}" rx="2" fill="${fill}"/>`
}

export function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${stroke}"/>`
}

export function picture(
  width: number,
  height: number,
  { paper }: Palette,
  title: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" rx="6" fill="${paper}"/>
${parts.join('\n')}
</svg>
`
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
