import type { Share } from './run.ts'

const WIDTH = 720
const HEIGHT = 420
const LEFT = 64
const RIGHT = 176
const TOP = 56
const BOTTOM = 64
const MOST = 16

const x = (isolates: number): number =>
  LEFT + ((isolates - 1) / (MOST - 1)) * (WIDTH - LEFT - RIGHT)
const y = (share: number): number => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)
const at = (isolates: number, share: number): string =>
  `${x(isolates).toFixed(1)} ${y(share).toFixed(1)}`

/** Each way with a mark of its own shape, so that nothing depends on colour. */
const MARKS: Record<string, (isolates: number, share: number) => string> = {
  reads: (isolates, share) =>
    `<circle class="reads" cx="${x(isolates).toFixed(1)}" cy="${y(share).toFixed(1)}" r="6"/>`,
  writes: (isolates, share) =>
    `<path class="writes" d="M${at(isolates, share)}m-4 -4l8 8m0 -8l-8 8"/>`,
  'stays 90%': (isolates, share) =>
    `<path class="stays" d="M${at(isolates, share)}m0 -6l6 10h-12z"/>`,
}

/** An SVG with its own ground, light or dark as the reader has it. */
export function plot(shares: readonly Share[]): string {
  const counts = [...new Set(shares.map(({ isolates }) => isolates))]
  const curve = (expected: (n: number) => number): string =>
    Array.from({ length: 151 }, (_, i) => at(1 + i / 10, expected(1 + i / 10))).join('L')
  const last = (way: string): number => {
    const share = shares.findLast((one) => one.way === way)
    return share ? share.found / share.requests : 0
  }
  const label = (share: number, lines: string[]): string =>
    lines
      .map((line, i) => `<text x="${x(MOST) + 16}" y="${y(share) + 5 + 18 * i}">${line}</text>`)
      .join('')
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title">
<title id="title">Share of requests that find their session in a MemoryStore, by number of isolates: it falls as one divided by the number</title>
<style>
text { font: 14px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24 }
.head { font-weight: 600; font-size: 16px }
.ground { fill: #ffffff; stroke: #dfe3e8 }
.grid { stroke: #dfe3e8 }
.curve { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 5 4 }
.reads { fill: none; stroke: #b54708; stroke-width: 2 }
.writes { fill: none; stroke: #1f5fae; stroke-width: 2 }
.stays { fill: #16703c }
.end { text-anchor: end }
.mid { text-anchor: middle }
@media (prefers-color-scheme: dark) {
text { fill: #e6e9ec }
.ground { fill: #15191d; stroke: #2f363d }
.grid { stroke: #2f363d }
.curve { stroke: #9da7b1 }
.reads { stroke: #ffa94d }
.writes { stroke: #7db7ff }
.stays { fill: #5ad28b }
}
</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>
<text class="head" x="${LEFT}" y="32">Requests that find their session in a MemoryStore</text>
${[0, 0.25, 0.5, 0.75, 1]
  .map(
    (share) =>
      `<path class="grid" d="M${at(1, share)}L${at(MOST, share)}"/><text class="end" x="${LEFT - 12}" y="${y(share) + 5}">${share * 100} %</text>`,
  )
  .join('\n')}
${counts.map((n) => `<text class="mid" x="${x(n).toFixed(1)}" y="${y(0) + 24}">${n}</text>`).join('\n')}
<text class="mid" x="${(x(1) + x(MOST)) / 2}" y="${HEIGHT - 16}">isolates</text>
<path class="curve" d="M${curve((n) => 1 / n)}"/>
<path class="curve" d="M${curve((n) => 0.9 + 0.1 / n)}"/>
${shares.map(({ way, isolates, found, requests }) => MARKS[way]?.(isolates, found / requests)).join('\n')}
${label(last('stays 90%'), ['▲ nine of ten stay', 'where they were'])}
${label(last('reads') + 0.06, ['○ random, reading', '× random, writing'])}
<text x="${x(5)}" y="${y(0.28)}">1/N</text>
<text x="${x(5)}" y="${y(0.85)}">0.9 + 0.1/N</text>
</svg>
`
}
