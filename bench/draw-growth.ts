import type { About } from './draw-comparison.ts'
import { CURVES, type Curve, type Growth } from './growth.ts'
import { line, PALETTES, type Palette, picture, round, type Theme, text } from './svg.ts'

const WIDTH = 840
const PLOT = { width: 210, height: 130 }
const LEFT = 44
const STEP_X = 266
const STEP_Y = 226

/** One plot for each thing that grows; some hold two curves. */
const PLOTS: { title: string; curves: { curve: Curve; label: string }[] }[] = [
  {
    title: 'sessions in the store',
    curves: [
      { curve: 'sessions', label: 'read' },
      { curve: 'full', label: 'first write, full store' },
    ],
  },
  { title: 'keys in the session', curves: [{ curve: 'keys', label: 'read one' }] },
  {
    title: 'bytes of JSON in the session',
    curves: [
      { curve: 'bytes', label: 'read one key' },
      { curve: 'bytesWritten', label: 'write one key' },
    ],
  },
]

/** Curves: a whole request, as something grows. */
export function drawGrowth(growth: Growth, { date, versions }: About, theme: Theme): string {
  const palette = PALETTES[theme]
  const title = 'What grows, and what a request then takes'
  const top = Math.max(
    ...Object.values(growth).flatMap((points) => points.map(({ time }) => time.median)),
  )
  const parts = [
    text(24, 34, title, { fill: palette.text, size: 17, weight: 600 }),
    text(
      24,
      54,
      'microseconds of processor time for a request with a MemoryStore, Hono and all; logarithmic to the right',
      { fill: palette.faint },
    ),
    ...PLOTS.map((plot, i) => drawPlot(plot, growth, LEFT + i * STEP_X, 100, top, palette)),
    text(24, 100 + STEP_Y, `${date} · workerd ${versions.workerd} · hono ${versions.hono}`, {
      fill: palette.faint,
      size: 11,
    }),
  ]
  return picture(WIDTH, 118 + STEP_Y, palette, title, parts)
}

function drawPlot(
  { title, curves }: (typeof PLOTS)[number],
  growth: Growth,
  x: number,
  y: number,
  top: number,
  palette: Palette,
): string {
  const bottom = y + PLOT.height
  const sizes: readonly number[] = CURVES[curves[0]?.curve ?? 'sessions'].sizes
  const log = (size: number): number => Math.log10(size)
  const [first = 1, last = 10] = [sizes[0], sizes.at(-1)]
  const xOf = (size: number): number =>
    x + (PLOT.width * (log(size) - log(first))) / (log(last) - log(first))
  const yOf = (value: number): number => bottom - (PLOT.height * value) / (top * 1.08)
  const parts = [text(x, y - 8, title, { fill: palette.text, weight: 600 })]
  parts.push(line(x, bottom, x + PLOT.width, bottom, palette.line))
  for (const size of sizes) {
    const style = { fill: palette.faint, size: 11, anchor: 'middle' } as const
    parts.push(text(xOf(size), bottom + 16, short(size), style))
  }
  curves.forEach(({ curve, label }, i) => {
    const color = palette.series[i] ?? palette.ours
    const points = growth[curve].map(({ size, time }) => [xOf(size), yOf(time.median)] as const)
    const path = points.map(([px, py]) => `${round(px)},${round(py)}`).join(' ')
    parts.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`)
    for (const [px, py] of points)
      parts.push(`<circle cx="${round(px)}" cy="${round(py)}" r="3" fill="${color}"/>`)
    const ends = [growth[curve][0], growth[curve].at(-1)]
    ends.forEach((end, e) => {
      if (!end) return
      // The upper curve has its figures above, the lower one below: read is faster than write.
      const isUpper = curves.length === 1 || i === 1
      const at = yOf(end.time.median) + (isUpper ? -9 : 18)
      const anchor = e === 0 ? 'start' : 'end'
      const style = { fill: color, size: 12, weight: 600, anchor } as const
      parts.push(text(xOf(end.size) + (e === 0 ? -2 : 4), at, end.time.median.toFixed(0), style))
    })
    const legend = { fill: color, size: 12, weight: 600 }
    parts.push(text(x, bottom + 40 + i * 17, `— ${label}`, legend))
  })
  return parts.join('\n')
}

function short(size: number): string {
  return size >= 1000 ? `${size / 1000}k` : String(size)
}
