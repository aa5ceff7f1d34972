import { COLD, type Cold } from './cold.ts'
import { type Comparison, SUBJECTS, type Subject } from './compare.ts'
import type { Work } from './questions.ts'
import { bar, line, PALETTES, type Palette, picture, type Theme, text } from './svg.ts'

export interface About {
  readonly date: string
  readonly versions: Readonly<Record<string, string>>
}

const WIDTH = 840
const NAMES_END = 296
const PANEL = 200
const GAP = 56
const ROW = 24

const GROUPS: { title: string; subjects: Subject[] }[] = [
  {
    title: 'Sessions kept in memory, an id in the cookie',
    subjects: ['floor', 'memory', 'signed', 'remixMemory', 'honoSessionMap', 'honoSessionsMemory'],
  },
  {
    title: 'Sessions kept in the cookie',
    subjects: [
      'floorSealed',
      'cookie',
      'remixCookie',
      'honoSessionSealed',
      'ironSession',
      'honoSessionsCookie',
    ],
  },
]

const PANELS: { work: Work; title: string }[] = [
  { work: 'read', title: 'a visit that reads' },
  { work: 'write', title: 'a visit that writes' },
]

/** Bars: what each library adds to a request of a returning visitor. */
export function drawComparison(
  comparison: Comparison,
  cold: Cold,
  about: About,
  theme: Theme,
): string {
  const palette = PALETTES[theme]
  const overhead = (name: Subject, work: Work): number => comparison[name]?.[work]?.overhead ?? 0
  const all = GROUPS.flatMap(({ subjects }) =>
    subjects.flatMap((name) => PANELS.map(({ work }) => overhead(name, work))),
  )
  const scale = PANEL / Math.max(...all)
  const parts = [
    text(24, 34, 'What a session adds to a request', {
      fill: palette.text,
      size: 17,
      weight: 600,
    }),
    text(24, 54, 'microseconds of processor time in workerd, bare Hono taken off; less is better', {
      fill: palette.faint,
    }),
  ]
  const panelAt = (i: number): number => NAMES_END + 12 + i * (PANEL + GAP)
  PANELS.forEach(({ title }, i) => {
    parts.push(text(panelAt(i), 84, title, { fill: palette.text, weight: 600 }))
  })
  let y = 84
  for (const { title, subjects } of GROUPS) {
    y += 30
    parts.push(text(24, y, title, { fill: palette.faint, size: 12, weight: 600 }))
    parts.push(line(24, y + 7, WIDTH - 24, y + 7, palette.line))
    y += 12
    for (const name of subjects) {
      const { kind } = SUBJECTS[name]
      const color = colorOf(kind, palette)
      const weight = kind === 'ours' ? 600 : 400
      const fill = kind === 'yardstick' ? palette.faint : palette.text
      parts.push(text(NAMES_END, y + 15, labelOf(name), { fill, weight, anchor: 'end' }))
      PANELS.forEach(({ work }, i) => {
        const value = overhead(name, work)
        const width = value * scale
        parts.push(bar(panelAt(i), y + 3, width, ROW - 8, color))
        const at = panelAt(i) + width + 6
        parts.push(text(at, y + 15, value.toFixed(0), { fill, weight, size: 12 }))
      })
      y += ROW
    }
  }
  y += 30
  parts.push(
    text(24, y, 'A fresh isolate, to its first answer', {
      fill: palette.faint,
      size: 12,
      weight: 600,
    }),
    text(panelAt(0), y, 'processor milliseconds, Hono and all', { fill: palette.faint, size: 12 }),
    line(24, y + 7, WIDTH - 24, y + 7, palette.line),
  )
  y += 12
  const slowest = Math.max(...COLD.map((name) => cold[name]?.value ?? 0))
  for (const name of COLD) {
    const value = cold[name]?.value ?? 0
    const { kind } = SUBJECTS[name]
    const weight = kind === 'ours' ? 600 : 400
    const fill = kind === 'yardstick' ? palette.faint : palette.text
    const width = (value / slowest) * (2 * PANEL + GAP - 40)
    parts.push(
      text(NAMES_END, y + 15, labelOf(name), { fill, weight, anchor: 'end' }),
      bar(panelAt(0), y + 3, width, ROW - 8, colorOf(kind, palette)),
      text(panelAt(0) + width + 6, y + 15, value.toFixed(1), { fill, weight, size: 12 }),
    )
    y += ROW
  }
  y += 28
  parts.push(
    text(24, y, footer(about), { fill: palette.faint, size: 11 }),
    text(24, y + 16, FLOOR, { fill: palette.faint, size: 11 }),
  )
  return picture(WIDTH, y + 34, palette, 'What a session adds to a request', parts)
}

const FLOOR =
  'Floor: the least that a session under a hashed id can do. No expiry, no limits, no checks, no safety from lost updates.'

function footer({ date, versions }: About): string {
  const of = (name: string): string => `${name} ${versions[name] ?? ''}`
  const peers = ['@remix-run/session', '@hono/session', 'hono-sessions', 'iron-session']
  return `${date} · ${of('workerd')} · ${of('hono')} · ${peers.map(of).join(' · ')}`
}

function colorOf(kind: (typeof SUBJECTS)[Subject]['kind'], palette: Palette): string {
  if (kind === 'ours') return palette.ours
  return kind === 'yardstick' ? palette.line : palette.others
}

function labelOf(name: Subject): string {
  return name === 'honoSessionSealed' ? '@hono/session, sealed' : SUBJECTS[name].title
}
