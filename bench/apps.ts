import { Hono } from 'hono'
import { MemoryStore, type SessionEnv, session } from '../src/index.js'

/** What a request costs beside the session: the same app without one. */
function bare(): Hono {
  return new Hono().get('/', (c) => c.text('ok'))
}

function emptyMiddleware(): Hono {
  const app = new Hono()
  app.use(async (_c, next) => {
    await next()
  })
  return app.get('/', (c) => c.text('ok'))
}

function withSession(): Hono<SessionEnv> {
  const app = new Hono<SessionEnv>()
  app.use(session({ store: new MemoryStore({ warn: false }) }))
  app.get('/', (c) => c.text('ok'))
  app.get('/read', (c) => c.text(String(c.var.session.get('n'))))
  app.get('/write', (c) => {
    c.var.session.update('n', (n) => Number(n ?? 0) + 1)
    return c.text('ok')
  })
  return app
}

const URL_BASE = 'https://shop.example'

type Case = (n: number) => Promise<void>

async function repeat(n: number, request: () => Response | Promise<Response>): Promise<void> {
  for (let i = 0; i < n; i++) {
    const response = await request()
    if (response.status !== 200) throw new Error(`answered ${response.status}`)
  }
}

async function cases(): Promise<Record<string, Case>> {
  const [plain, empty, ours] = [bare(), emptyMiddleware(), withSession()]
  const first = await ours.request(`${URL_BASE}/write`)
  const cookie = first.headers.get('Set-Cookie')?.split(';')[0] ?? ''
  const visit = (path: string) => () =>
    ours.request(URL_BASE + path, { headers: { Cookie: cookie } })
  return {
    'bare Hono': (n) => repeat(n, () => plain.request(`${URL_BASE}/`)),
    'empty middleware': (n) => repeat(n, () => empty.request(`${URL_BASE}/`)),
    'anonymous, untouched': (n) => repeat(n, () => ours.request(`${URL_BASE}/`)),
    'returning, reads': (n) => repeat(n, visit('/read')),
    'returning, writes': (n) => repeat(n, visit('/write')),
    'first write': (n) => repeat(n, () => ours.request(`${URL_BASE}/write`)),
  }
}

/** Runs every case in turn, round after round, and answers with the microseconds of each. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url)
    const [rounds, n] = [Number(searchParams.get('rounds')), Number(searchParams.get('n'))]
    const all = Object.entries(await cases())
    const times: Record<string, number[]> = Object.fromEntries(all.map(([name]) => [name, []]))
    for (const [, run] of all) await run(n)
    for (let round = 0; round < rounds; round++) {
      for (const [name, run] of all) {
        const start = performance.now()
        await run(n)
        times[name]?.push(((performance.now() - start) * 1000) / n)
      }
    }
    return Response.json(times)
  },
}
