import type { Comparison, Subject } from './compare.ts'
import type { Growth } from './growth.ts'
import type { Memory } from './memory.ts'
import type { Work } from './questions.ts'
import type { Sizes } from './size.ts'

export interface Results {
  readonly comparison: Comparison
  readonly growth?: Growth
  readonly memory: Memory
  readonly sizes: Sizes
}

/** What has to hold, and what would be better still. */
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
const SEALED_PEERS: readonly Subject[] = ['honoSessionSealed', 'ironSession', 'honoSessionsCookie']

export function barsOf({ comparison, growth, memory, sizes }: Results): Bar[] {
  const overhead = (subject: Subject, work: Work): number =>
    comparison[subject]?.[work]?.overhead ?? Number.NaN
  const best = (peers: readonly Subject[], work: Work): number =>
    Math.min(...peers.map((peer) => overhead(peer, work)))
  const time = (subject: Subject): number => comparison[subject]?.untouched?.time ?? Number.NaN
  const toFloor = (work: Work): number => overhead('memory', work) / overhead('floor', work)
  const bars: [what: string, value: number, bar: number, stretch: number][] = [
    ['anonymous, untouched / an empty middleware', time('memory') / time('empty'), 1.15, 1.05],
    ['read / floor', toFloor('read'), 1.5, 1.15],
    ['read / best peer', overhead('memory', 'read') / best(RECORD_PEERS, 'read'), 0.6, 0.4],
    ['write / floor', toFloor('write'), 2, 1.4],
    ['write / best peer', overhead('memory', 'write') / best(RECORD_PEERS, 'write'), 0.7, 0.5],
    ['first write / floor', toFloor('begin'), 2, 1.4],
    ['CookieStore read / best', overhead('cookie', 'read') / best(SEALED_PEERS, 'read'), 0.5, 0.35],
    [
      'CookieStore write / best',
      overhead('cookie', 'write') / best(SEALED_PEERS, 'write'),
      0.4,
      0.25,
    ],
    ['bytes of heap for a session', memory.bytes, 900, 600],
    ['bytes of the core', sizes.core, 6656, 5120],
    ['bytes of the largest store', Math.max(...Object.values(sizes.stores)), 1536, 1024],
  ]
  if (growth) {
    bars.push(['100,000 sessions / 100', lastToFirst(growth.sessions), 1.2, 1.05])
    bars.push(['one key of 100 / of 1', lastToFirst(growth.keys), 1.5, 1.1])
  }
  return bars.map(([what, value, bar, stretch]) => ({ what, value, bar, stretch }))
}

/** Machines are noisy: only what is off by more than a tenth counts as missed. */
export function isMissed({ value, bar }: Bar): boolean {
  return !(value <= bar * 1.1)
}

function lastToFirst(points: Growth[keyof Growth]): number {
  return (points.at(-1)?.time.value ?? Number.NaN) / (points[0]?.time.value ?? Number.NaN)
}
