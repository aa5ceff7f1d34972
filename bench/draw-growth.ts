import type { About } from './draw-comparison.ts'
import { CURVES, type Curve, type Growth } from './growth.ts'
import type { Memory } from './memory.ts'
import { line, PALETTES, type Palette, picture, round, type Theme, text } from './svg.ts'

const WIDTH = 840
const PLOT = { left: 28, step: 204, width: 164, top: 104, height: 130 }

interface Series {
  readonly label: string
  readonly points: readonly { readonly size: number; readonly value: number }[]
}

interface Plot {
  readonly title: string
  /** The upper one last: its figures stand above it. */
  readonly series: readonly Series[]
  /** The value at the upper end. Plots that share a unit share it, too. */
  readonly top: number
}

/** Curves: a whole request, and a session's heap, as something grows. */
export function drawGrowth(growth: Growth, memory: Memory, about: About, theme: Theme): string {
  const palette = PALETTES[theme]
  const title = 'What grows, and what it costs'
  const timed = (curve: Curve, label: string): Series => ({
    label,
    points: growth[curve].map(({ size, time }) => ({ size, value: time.value })),
  })
  const heap: Series = {
    label: 'bytes of heap each',
    points: memory.curve.map(({ size, bytes }) => ({ size, value: bytes })),
  }
  const times = (Object.keys(CURVES) as Curve[]).flatMap((curve) => timed(curve, '').points)
  const top = Math.max(...times.map(({ value }) => value))
  const plots: Plot[] = [
    {
      title: 'sessions in the store',
      series: [timed('sessions', 'µs to read'), timed('full', 'µs to begin, store full')],
      top,
    },
    { title: 'keys in the session', series: [timed('keys', 'µs to read one')], top },
    {
      title: 'bytes of JSON in it',
      series: [timed('bytes', 'µs to read one key'), timed('bytesWritten', 'µs to write one key')],
      top,
    },
    {
      title: 'bytes of JSON in it',
      series: [heap],
      top: Math.max(...heap.points.map(({ value }) => value)),
    },
  ]
  const footer = PLOT.top + PLOT.height + 96
  const { date, versions } = about
  const parts = [
    text(24, 34, title, { fill: palette.text, size: 17, weight: 600 }),
    text(24, 54, 'processor time of a request with a MemoryStore, Hono and all, and heap', {
      fill: palette.faint,
    }),
    ...plots.map((plot, i) => drawPlot(plot, PLOT.left + i * PLOT.step, palette)),
    text(24, footer, `${date} · workerd ${versions.workerd} · hono ${versions.hono}`, {
      fill: palette.faint,
      size: 11,
    }),
  ]
  return picture(WIDTH, footer + 20, palette, title, parts)
}

function drawPlot({ title, series, top }: Plot, x: number, palette: Palette): string {
  const bottom = PLOT.top + PLOT.height
  const sizes = series[0]?.points.map(({ size }) => size) ?? []
  const [first = 1, last = 10] = [sizes[0], sizes.at(-1)]
  const xOf = (size: number): number =>
    x + (PLOT.width * Math.log10(size / first)) / Math.log10(last / first)
  const yOf = (value: number): number => bottom - (PLOT.height * value) / (top * 1.2)
  const parts = [
    text(x, PLOT.top - 8, title, { fill: palette.text, weight: 600 }),
    line(x, bottom, x + PLOT.width, bottom, palette.line),
    ...sizes.map((size) =>
      text(xOf(size), bottom + 16, short(size), {
        fill: palette.faint,
        size: 11,
        anchor: 'middle',
      }),
    ),
  ]
  series.forEach(({ label, points }, i) => {
    const color = palette.series[i] ?? palette.ours
    const style = { fill: color, size: 12, weight: 600 }
    const path = points.map(({ size, value }) => `${round(xOf(size))},${round(yOf(value))}`)
    parts.push(
      `<polyline points="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...path.map((point) => {
        const [cx, cy] = point.split(',')
        return `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`
      }),
      text(x, bottom + 40 + i * 17, `— ${label}`, style),
    )
    const below = i < series.length - 1
    for (const [end, anchor] of [
      [points[0], 'start'],
      [points.at(-1), 'end'],
    ] as const) {
      if (!end) continue
      const y = yOf(end.value) + (below ? 18 : -9)
      const at = xOf(end.size) + (anchor === 'start' ? -3 : 4)
      parts.push(text(at, y, Math.round(end.value).toLocaleString('en'), { ...style, anchor }))
    }
  })
  return parts.join('\n')
}

function short(size: number): string {
  return size >= 1000 ? `${size / 1000}k` : String(size)
}
