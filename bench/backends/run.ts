// Requests a second over real backends, beside a hand-written minimum on the same backend in the same runtime:
// `npm run bench:backends`. Starts the servers it needs, on this machine, and writes bench/backends/results.json.
import { readFile, writeFile } from 'node:fs/promises'
import { Miniflare, type MiniflareOptions } from 'miniflare'
import { bundleByWrangler } from '../../test/servers/support/bundle.ts'
import { type Kind, startServer } from '../../test/servers/support/servers.ts'
import { estimate } from '../statistics.ts'

export const BACKENDS = ['Durable Objects', 'PostgreSQL', 'Redis'] as const
export const WORKS = ['read', 'write', 'begin'] as const

export interface BackendQuestion {
  readonly backend: (typeof BACKENDS)[number]
  readonly isOurs: boolean
  readonly work: (typeof WORKS)[number]
  /** Requests of one round. */
  readonly n: number
  /** How many of them are on their way together. */
  readonly atOnce: number
}

/** The least share of the minimum's requests a second. */
const BARS: Record<BackendQuestion['backend'], number> = {
  'Durable Objects': 0.9,
  PostgreSQL: 0.85,
  Redis: 0.75,
}

const ROUNDS = 11
/** Rounds that do not count: the compiler is still at work. */
const WARM_UP = 2
/** Of one round, so that it takes some tenths of a second. */
const REQUESTS: Record<BackendQuestion['work'], number> = { read: 1200, write: 400, begin: 400 }
const AT_ONCE = [1, 8]

async function server(kind: Kind): Promise<{ url: string; dispose(): Promise<void> }> {
  const started = await startServer(kind)
  if (!started) throw new Error(`There is no ${kind} here. CONTRIBUTING.md says how to get it.`)
  return started
}

const postgres = await server('postgres')
const redis = await server('redis')
const code = await bundleByWrangler('bench/backends/wrangler.toml')
const text = (value: string) => ({ type: 'text', value })
const objects = (exportName: string) => ({ type: 'durable-object', worker: 'app', exportName })
const runtime = new Miniflare({
  workers: [
    {
      config: {
        name: 'app',
        compatibilityDate: '2026-10-23',
        manifest: {
          mainModule: 'index.js',
          modules: { 'index.js': { type: 'esm', contents: code } },
        },
        env: {
          POSTGRES: text(postgres.url),
          REDIS: text(redis.url),
          SESSIONS: objects('SessionObject'),
          MINIMUM: objects('MinimumObject'),
        },
        exports: {
          SessionObject: { type: 'durable-object', storage: 'sqlite' },
          MinimumObject: { type: 'durable-object', storage: 'sqlite' },
        },
      },
    },
  ],
} as unknown as MiniflareOptions)
await runtime.ready
const worker = await runtime.getWorker('app')

/** Milliseconds of the clock: what a backend does is not on our processor time. */
async function ask(question: BackendQuestion): Promise<number> {
  const response = await worker.fetch('http://bench/', {
    method: 'POST',
    body: JSON.stringify(question),
  })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as number
}

interface Row {
  readonly backend: BackendQuestion['backend']
  readonly work: BackendQuestion['work']
  readonly atOnce: number
  /** Requests a second. */
  readonly minimum: number
  readonly ours: number
  /** Median of the rounds' shares: the two of a round ran within the same second. */
  readonly share: number
}

async function measure(backend: Row['backend'], work: Row['work'], atOnce: number): Promise<Row> {
  const n = REQUESTS[work]
  const rates = { minimum: [] as number[], ours: [] as number[] }
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const order = round % 2 === 0 ? [true, false] : [false, true]
    for (const isOurs of order) {
      const milliseconds = await ask({ backend, isOurs, work, n, atOnce })
      if (round >= 0) rates[isOurs ? 'ours' : 'minimum'].push((n / milliseconds) * 1000)
    }
  }
  const { median: minimum } = estimate(rates.minimum)
  const { median: ours } = estimate(rates.ours)
  const { median: share } = estimate(rates.ours.map((rate, i) => rate / (rates.minimum[i] ?? 0)))
  const rounded = { minimum: Math.round(minimum), ours: Math.round(ours) }
  return { backend, work, atOnce, ...rounded, share: Math.round(share * 100) / 100 }
}

const rows: Row[] = []
console.log('Requests a second of the minimum and of ours, and ours as a share of the minimum')
for (const backend of BACKENDS) {
  for (const work of WORKS) {
    for (const atOnce of AT_ONCE) {
      const row = await measure(backend, work, atOnce)
      rows.push(row)
      const rates = [row.minimum, row.ours].map((rate) => String(rate).padStart(7)).join('')
      const verdict = `(${BARS[backend]})  ${row.share >= BARS[backend] ? 'holds' : 'MISSED'}`
      const what = `${backend.padEnd(16)} ${work.padEnd(6)} ${atOnce} at once`
      console.log(`  ${what} ${rates}  ${row.share.toFixed(2)}  ${verdict}`)
    }
  }
}
await runtime.dispose()
await Promise.all([postgres.dispose(), redis.dispose()])

const { version: workerd } = JSON.parse(await readFile('node_modules/workerd/package.json', 'utf8'))
const about = { date: new Date().toISOString().slice(0, 10), workerd }
await writeFile(
  'bench/backends/results.json',
  `${JSON.stringify({ about, rows, bars: BARS }, null, 2)}\n`,
)
