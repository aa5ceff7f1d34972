import type { Work } from './questions.ts'
import { startWorkers } from './runtime.ts'
import { estimate } from './statistics.ts'

type Kind = 'yardstick' | 'ours' | 'records' | 'cookies'

const subject = (title: string, entry: string, kind: Kind) => ({ title, entry, kind }) as const

export const SUBJECTS = {
  loop: subject('no app at all', 'subjects/loop', 'yardstick'),
  bare: subject('bare Hono', 'subjects/bare', 'yardstick'),
  empty: subject('an empty middleware', 'subjects/empty', 'yardstick'),
  floor: subject('floor', 'subjects/floor', 'yardstick'),
  floorSealed: subject('floor, sealed', 'subjects/floor-sealed', 'yardstick'),
  memory: subject('isolate-session MemoryStore', 'subjects/ours-memory', 'ours'),
  /** The same subject a second time. The difference between the two is the noise of a run. */
  again: subject('the same again', 'subjects/ours-memory', 'ours'),
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
  /** The overheads of all runtimes, least first. `time` and `overhead` are medians. */
  readonly overheads: readonly number[]
}

export type Comparison = Partial<Record<Subject, Partial<Record<Work, Cell>>>>

export interface CompareOptions {
  readonly subjects: readonly Subject[]
  readonly works: readonly Work[]
  /** How many are started, one after the other: memory layout differs between them, and with it the figures. */
  readonly runtimes: number
  /** For each work in each runtime, warm-up aside. */
  readonly seconds: number
}

/** Requests of one round. */
const REQUESTS = 300

export async function compare({ runtimes, ...options }: CompareOptions): Promise<Comparison> {
  const measured: Measured[] = []
  for (let i = 0; i < runtimes; i++) measured.push(await measure(options))
  const result: Comparison = {}
  for (const name of options.subjects) {
    for (const work of options.works) {
      const all = measured.flatMap((each) => each[name]?.[work] ?? [])
      if (all.length === 0) continue
      const overheads = all.map(({ overhead }) => overhead).toSorted((a, b) => a - b)
      const { median: overhead } = estimate(overheads)
      const { median: time } = estimate(all.map(({ time }) => time))
      result[name] = { ...result[name], [work]: { time, overhead, overheads } }
    }
  }
  return result
}

type Measured = Partial<Record<Subject, Partial<Record<Work, Pick<Cell, 'time' | 'overhead'>>>>>

/** Short rounds, everybody in turn, so that whatever makes the machine slow makes all of them slow. */
async function measure({
  subjects,
  works,
  seconds,
}: Omit<CompareOptions, 'runtimes'>): Promise<Measured> {
  const entries = subjects.map((name) => [name, `bench/${SUBJECTS[name].entry}.ts`])
  const workers = await startWorkers(Object.fromEntries(entries) as Record<Subject, string>)
  const result: Measured = {}
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
        const { value } = estimate(times[name])
        const cell = { time: value - loop, overhead: value - bare }
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
