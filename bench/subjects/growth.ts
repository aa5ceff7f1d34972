import { Hono } from 'hono'
import { MemoryStore, Session, type SessionEnv, session } from '../../src/index.ts'
import type { GrowthQuestion } from '../questions.ts'

type Data = Record<string, unknown>

/** An app for every point of every curve, and the visitors who have a session there. */
interface Place {
  readonly app: Hono<SessionEnv<Data>>
  readonly cookies: string[]
}

const places = new Map<string, Place>()

/** One of many visitors, far from the one before: as scattered over the heap as in life. */
const STRIDE = 7919

export default {
  async fetch(request: Request, env: unknown, ctx: ExecutionContext): Promise<Response> {
    const question = await request.json<GrowthQuestion>()
    const { step, curve, size, path, n, seed } = question
    const name = `${curve}-${size}`
    let place = places.get(name)
    if (!place) {
      const maxSessions = curve === 'full' ? size : 1_000_000
      const store = new MemoryStore({ name, maxSessions, maxBytes: 2 ** 31, warn: false })
      place = { app: appWith(store), cookies: [] }
      places.set(name, place)
    }
    if (step === 'prepare') {
      const store = new MemoryStore({
        name,
        maxSessions: curve === 'full' ? size : 1_000_000,
        maxBytes: 2 ** 31,
        warn: false,
      })
      for (let i = 0; i < n; i++) {
        const visitor = new Session<Data>()
        if (curve === 'owner') visitor.signIn('ada')
        for (const [key, value] of Object.entries(dataOf(question))) visitor.set(key, value)
        place.cookies.push(`__Host-session=${await store.storeSession(visitor)}`)
      }
      return Response.json(null)
    }
    if (curve === 'owner') {
      const store = new MemoryStore({ name, warn: false })
      if (path === '/list') await store.sessionsOf('ada')
      else await store.destroySessionsOf('ada')
      return Response.json(null)
    }
    for (let i = 0; i < n; i++) {
      // One visitor polls, or all take turns.
      const who = curve === 'hot' ? 0 : ((seed + i) * STRIDE) % place.cookies.length
      const cookie = place.cookies[who] ?? ''
      const headers: Record<string, string> = path === '/begin' ? {} : { Cookie: cookie }
      const response = await place.app.fetch(
        new Request(`https://shop.example${path}`, { headers }),
        env,
        ctx,
      )
      const body = await response.text()
      if (body === 'undefined' || response.status !== 200) throw new Error(`${name}: ${body}`)
    }
    return Response.json(null)
  },
}

function appWith(store: MemoryStore): Hono<SessionEnv<Data>> {
  const app = new Hono<SessionEnv<Data>>()
  app.use(session<Data>({ store }))
  app.get('/read', (c) => c.text(String(c.var.session.get('key0'))))
  app.get('/write', (c) => {
    c.var.session.update('key0', (n) => Number(n) + 1)
    return c.text('ok')
  })
  return app.get('/begin', (c) => {
    c.var.session.set('key0', 0)
    return c.text('ok')
  })
}

/** 200 bytes, or what the curve is about: so many keys, or so many bytes beside one key. */
function dataOf({ curve, size }: GrowthQuestion): Data {
  const keys = curve === 'keys' ? size : 1
  const data: Data = {}
  for (let i = 0; i < keys; i++) data[`key${i}`] = i
  const bytes = curve === 'bytes' ? size : curve === 'keys' ? 0 : 150
  if (bytes > 0) data.lines = Array.from({ length: Math.ceil(bytes / 50) }, () => 'x'.repeat(47))
  return data
}
