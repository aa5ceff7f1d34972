// How often a request finds its session when MemoryStore is all there is: `npm run bench:isolates`.
// Writes the plot that docs/memory-store.md shows.
import { writeFile } from 'node:fs/promises'
import { bundle, startIsolates } from '../../test/support/isolates.ts'
import { Visitor } from '../../test/support/visitor.ts'
import { plot } from './plot.ts'
import { randomFrom } from './random.ts'

const ISOLATES = [1, 2, 3, 4, 6, 8, 12, 16]
const VISITORS = 100
const REQUESTS = 20
const SEED = 20_261_124

/** The visitors' requests, and how isolates are chosen: `stays` is how often a request goes where the last one went. */
const WAYS = [
  { name: 'reads', method: 'GET', stays: 0 },
  { name: 'writes', method: 'POST', stays: 0 },
  { name: 'stays 90%', method: 'POST', stays: 0.9 },
]

type Way = (typeof WAYS)[number]

export interface Share {
  readonly way: string
  readonly isolates: number
  readonly found: number
  readonly requests: number
  readonly expected: number
}

/** One first request, which begins a session, then the ones that are counted: how many found it. */
async function visit(origin: string, isolates: number, way: Way, seed: number): Promise<number> {
  const random = randomFrom(seed)
  const anyIsolate = (): number => Math.floor(random() * isolates)
  let at = anyIsolate()
  const visitor = new Visitor((url, init) => {
    const headers = new Headers(init?.headers)
    headers.set('X-Isolate', String(at))
    return fetch(url, { ...init, headers })
  }, origin)
  await visitor.text('/', { method: 'POST' })
  let found = 0
  for (let i = 0; i < REQUESTS; i++) {
    if (random() >= way.stays) at = anyIsolate()
    const response = await visitor.visit('/', { method: way.method })
    const { known } = (await response.json()) as { known: boolean }
    if (known) found++
  }
  return found
}

const code = await bundle('bench/isolates/worker.ts')
const shares: Share[] = []
for (const isolates of ISOLATES) {
  const { runtime } = await startIsolates(code, isolates)
  const { origin } = await runtime.ready
  for (const way of WAYS) {
    // Each visitor has numbers of their own, so the outcome does not depend on who is faster.
    const visits = Array.from({ length: VISITORS }, (_, visitor) =>
      visit(origin, isolates, way, SEED + isolates * VISITORS + visitor),
    )
    const found = (await Promise.all(visits)).reduce((sum, one) => sum + one, 0)
    const expected = way.stays + (1 - way.stays) / isolates
    shares.push({ way: way.name, isolates, found, requests: VISITORS * REQUESTS, expected })
  }
  await runtime.dispose()
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
console.log(`${VISITORS} visitors, ${REQUESTS} requests each after the first, seed ${SEED}`)
console.log('| isolates | way | requests | found | share | expected |')
console.log('|---:|---|---:|---:|---:|---:|')
for (const { way, isolates, found, requests, expected } of shares) {
  const share = percent(found / requests)
  console.log(`| ${isolates} | ${way} | ${requests} | ${found} | ${share} | ${percent(expected)} |`)
}
await writeFile('docs/memory-store.svg', plot(shares))
