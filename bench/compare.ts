import type { Work } from './questions.ts'
import { startWorkers } from './runtime.ts'
import { type Estimate, estimate } from './statistics.ts'

type Kind = 'yardstick' | 'ours' | 'records' | 'cookies'

const subject = (title: string, entry: string, kind: Kind) => ({ title, entry, kind }) as const

export const SUBJECTS = {
  loop: subject('no app at all', 'subjects/loop', 'yardstick'),
  bare: subject('bare Hono', 'subjects/bare', 'yardstick'),
  empty: subject('an empty middleware', 'subjects/empty', 'yardstick'),
  floor: subject('floor', 'subjects/floor', 'yardstick'),
  memory: subject('isolate-session MemoryStore', 'subjects/ours-memory', 'ours'),
  signed: subject('isolate-session MemoryStore, signed', 'subjects/ours-signed', 'ours'),
  caching: subject('isolate-session CachingStore', 'subjects/ours-caching', 'ours'),
  cookie: subject('isolate-session CookieStore', 'subjects/ours-cookie', 'ours'),
  remixMemory: subject('Remix memory', 'peers/remix-memory', 'records'),
  honoSessionMap: subject('@hono/session, Map', 'peers/hono-session-map', 'records'),
  honoSessionsMemory: subject('hono-sessions MemoryStore', 'peers/hono-sessions-memory', 'records'),
  honoSessionsEncrypted: subject(
    'hono-sessions MemoryStore, encrypted',
    'peers/hono-sessions-encrypted',
    'records',
  ),
  remixCookie: subject('Remix cookie (signed, readable)', 'peers/remix-cookie', 'cookies'),
  honoSessionSealed: subject('@hono/session', 'peers/hono-session-sealed', 'cookies'),
  ironSession: subject('iron-session', 'peers/iron-session', 'cookies'),
  honoSessionsCookie: subject('hono-sessions CookieStore', 'peers/hono-sessions-cookie', 'cookies'),
} as const

export type Subject = keyof typeof SUBJECTS

export interface Cell {
  /** Microseconds for a request, from when it is there until its answer is read. */
  readonly time: number
  /** The same less bare Hono's: the session's own. */
  readonly overhead: number
  /** As measured, with what it takes to ask. */
  readonly measured: Estimate
}

export type Comparison = Partial<Record<Subject, Partial<Record<Work, Cell>>>>

export interface CompareOptions {
  readonly subjects: readonly Subject[]
  readonly works: readonly Work[]
  /** For each work, warm-up aside. */
  readonly seconds: number
}

/** Requests of one round. */
const REQUESTS = 300

/** Short rounds, everybody in turn, so that whatever makes the machine slow makes all of them slow. */
export async function compare({ subjects, works, seconds }: CompareOptions): Promise<Comparison> {
  const entries = subjects.map((name) => [name, `bench/${SUBJECTS[name].entry}.ts`])
  const workers = await startWorkers(Object.fromEntries(entries) as Record<Subject, string>)
  const result: Comparison = {}
  try {
    for (const work of works) {
      // An empty middleware has no session that it could read.
      const takers = subjects.filter((name) => name !== 'empty' || work === 'untouched')
      const times = await race(takers, seconds, async (name) => {
        await workers.ask[name]({ step: 'prepare', work, n: REQUESTS })
        return (await workers.ask[name]({ step: 'run', work, n: REQUESTS })) / REQUESTS
      })
      const [loop, bare] = [estimate(times.loop).value, estimate(times.bare).value]
      for (const name of takers) {
        const measured = estimate(times[name])
        const cell: Cell = {
          time: measured.value - loop,
          overhead: measured.value - bare,
          measured,
        }
        result[name] = { ...result[name], [work]: cell }
      }
    }
  } finally {
    await workers.stop()
  }
  return result
}

/** Runs everybody until their code is compiled, and then round after round, each time another one first. */
export async function race<Name extends string>(
  names: readonly Name[],
  seconds: number,
  run: (name: Name) => Promise<number>,
): Promise<Record<Name, number[]>> {
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >
  for (const name of names) for (let i = 0; i < WARM_UP; i++) await run(name)
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < MIN_ROUNDS || performance.now() < end; round++) {
    const first = round % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      times[name].push(await run(name))
    }
  }
  return times
}

const WARM_UP = 6
const MIN_ROUNDS = 7
