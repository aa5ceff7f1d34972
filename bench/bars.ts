import type { Cold } from './cold.ts'
import type { Comparison, Subject } from './compare.ts'
import type { Growth, Owner } from './growth.ts'
import type { Memory } from './memory.ts'
import type { Phases } from './pauses.ts'
import type { Work } from './questions.ts'
import type { Sizes } from './size.ts'

export interface Results {
  readonly comparison: Comparison
  readonly growth?: Growth
  readonly owner?: Owner
  readonly cold?: Cold
  readonly memory: Memory
  readonly pauses?: Phases
  readonly sizes: Sizes
}

/** A figure, the most that it should be, and what would be better still. */
export interface Bar {
  readonly what: string
  readonly value: number
  readonly bar: number
  readonly stretch: number
}

const RECORD_PEERS: readonly Subject[] = [
  'remixMemory',
  'honoSessionMap',
  'honoSessionsMemory',
  'honoSessionsEncrypted',
]

/** Sealed, as ours. Remix's cookie is signed only: everybody can read it. */
export const SEALED_PEERS: readonly Subject[] = [
  'honoSessionSealed',
  'ironSession',
  'honoSessionsCookie',
]

export function barsOf({ comparison, growth, cold, memory, sizes }: Results): Bar[] {
  const measured = (subject: Subject, work: Work): number =>
    comparison[subject]?.[work]?.overhead ?? Number.NaN
  // MemoryStore is measured twice, and the mean is nearer to the truth than either.
  const overhead = (subject: Subject, work: Work): number =>
    subject === 'memory'
      ? (measured('memory', work) + measured('again', work)) / 2
      : measured(subject, work)
  const best = (peers: readonly Subject[], work: Work): number =>
    Math.min(...peers.map((peer) => overhead(peer, work)))
  const timeOf = (subject: Subject): number => comparison[subject]?.untouched?.time ?? Number.NaN
  const toFloor = (work: Work): number => overhead('memory', work) / overhead('floor', work)
  const toSealedFloor = (work: Work): number =>
    overhead('cookie', work) / overhead('floorSealed', work)
  const toRecords = (work: Work): number => overhead('memory', work) / best(RECORD_PEERS, work)
  const toSealed = (work: Work): number => overhead('cookie', work) / best(SEALED_PEERS, work)
  const bars: [what: string, value: number, bar: number, stretch: number][] = [
    [
      'anonymous, untouched / an empty middleware',
      (timeOf('memory') + timeOf('again')) / 2 / timeOf('empty'),
      1.15,
      1.05,
    ],
    ['read / floor', toFloor('read'), 1.6, 1.4],
    ['write / floor', toFloor('write'), 1.9, 1.6],
    ['first write / floor', toFloor('begin'), 1.95, 1.7],
    ['sign-in / floor', toFloor('signIn'), 1.8, 1.6],
    ['CookieStore read / sealed floor', toSealedFloor('read'), 2, 1.7],
    ['CookieStore write / sealed floor', toSealedFloor('write'), 2.1, 1.8],
    ['CookieStore first write / sealed floor', toSealedFloor('begin'), 2.2, 1.9],
    ['read / best record peer', toRecords('read'), 0.8, 0.7],
    ['write / best record peer', toRecords('write'), 0.62, 0.5],
    ['CookieStore read / best sealed peer', toSealed('read'), 0.7, 0.59],
    ['CookieStore write / best sealed peer', toSealed('write'), 0.6, 0.5],
    ['bytes of heap for a session', memory.bytes, 900, 600],
    ['bytes of the core', sizes.core, 12_000, 10_500],
    ['bytes of the largest store', Math.max(...Object.values(sizes.stores)), 1536, 1024],
  ]
  if (growth) {
    bars.push(['100,000 sessions / 100', lastToFirst(growth.sessions), 1.2, 1.05])
    bars.push(['one visitor, 100,000 sessions / 100', lastToFirst(growth.hot), 1.3, 1.1])
    bars.push(['one key of 100 / of 1', lastToFirst(growth.keys), 1.5, 1.1])
  }
  const { memory: ours, bare } = cold ?? {}
  if (ours && bare) bars.push(['cold start / bare Hono', ours.value / bare.value, 1.35, 1.15])
  return bars.map(([what, value, bar, stretch]) => ({ what, value, bar, stretch }))
}

/** The largest difference between two identical subjects, in microseconds: the noise of this run. */
export function noiseOf({ memory, again }: Comparison): number {
  const works = Object.keys(memory ?? {}) as Work[]
  const apart = works.map(
    (work) => (memory?.[work]?.overhead ?? 0) - (again?.[work]?.overhead ?? 0),
  )
  return Math.max(...apart.map(Math.abs))
}

/** Machines are noisy: only what is off by more than a tenth counts as missed. */
export function isMissed({ value, bar }: Bar): boolean {
  return !(value <= bar * 1.1)
}

function lastToFirst(points: Growth[keyof Growth]): number {
  return (points.at(-1)?.time.value ?? Number.NaN) / (points[0]?.time.value ?? Number.NaN)
}
