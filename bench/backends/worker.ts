// The same app over a store of ours, and over the least that can be written for the same backend by hand. On POST it visits
// itself, so that a connection is opened once for many requests and what is measured is the requests.
import { DurableObject } from 'cloudflare:workers'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import postgres from 'postgres'
import { createClient } from 'redis'
import { type SessionEnv, type SessionStore, session } from '../../src/index.ts'
import { DurableObjectStore } from '../../src/stores/durable-object.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { PROFILE } from '../library.ts'
import { base64url, cookieValue, hash, keepEntry, mark, newEntry } from '../subjects/floors.ts'
import type { BackendQuestion } from './run.ts'

export { SessionObject } from '../../src/stores/durable-object.ts'

/** Where the minimum keeps its sessions: what is done on the backend for a read, a write and a first write. */
interface Shelf {
  read(id: string): Promise<string | null | undefined>
  write(id: string, text: string, isNew: boolean): Promise<unknown>
}

interface Backend {
  readonly store: SessionStore
  readonly shelf: Shelf
  close(): Promise<unknown> | unknown
}

interface Env {
  readonly POSTGRES: string
  readonly REDIS: string
  readonly SESSIONS: never
  readonly MINIMUM: DurableObjectNamespace<MinimumObject>
}

/** As `SessionObject`, an object for a session, which deletes itself in the end. */
export class MinimumObject extends DurableObject {
  read(): Promise<string | undefined> {
    return this.ctx.storage.get('data')
  }

  async write(text: string): Promise<void> {
    await Promise.all([this.ctx.storage.put('data', text), this.ctx.storage.setAlarm(endOf())])
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll()
  }
}

const DAY = 86_400

const endOf = (): number => Date.now() + DAY * 1000

const BACKENDS: Record<BackendQuestion['backend'], (env: Env) => Promise<Backend>> = {
  'Durable Objects': async ({ SESSIONS, MINIMUM }) => {
    const objectOf = (id: string) => MINIMUM.get(MINIMUM.idFromName(id))
    const shelf: Shelf = {
      read: (id) => objectOf(id).read(),
      write: (id, text) => objectOf(id).write(text),
    }
    return { store: new DurableObjectStore(SESSIONS), shelf, close: () => {} }
  },
  PostgreSQL: async ({ POSTGRES }) => {
    const sql = postgres(POSTGRES, { max: 1, fetch_types: false, onnotice: () => {} })
    const store = new PostgresStore(sql)
    await store.migrate()
    await sql`CREATE TABLE IF NOT EXISTS minimum (id text PRIMARY KEY, data text NOT NULL, expiry bigint NOT NULL)`
    await sql`CREATE INDEX IF NOT EXISTS minimum_expiry ON minimum (expiry)`
    const shelf: Shelf = {
      async read(id) {
        const now = Date.now()
        const rows = await sql`SELECT data FROM minimum WHERE id = ${id} AND expiry > ${now}`
        return rows[0]?.data
      },
      write(id, data, isNew) {
        const expiry = endOf()
        return isNew
          ? sql`INSERT INTO minimum (id, data, expiry) VALUES (${id}, ${data}, ${expiry})`
          : sql`UPDATE minimum SET data = ${data}, expiry = ${expiry} WHERE id = ${id}`
      },
    }
    return { store, shelf, close: () => sql.end() }
  },
  Redis: async ({ REDIS }) => {
    const client = createClient({ url: REDIS })
    client.on('error', () => {})
    await client.connect()
    const shelf: Shelf = {
      read: (id) => client.get(`minimum:${id}`),
      write: (id, text) => client.set(`minimum:${id}`, text, { EX: DAY }),
    }
    return { store: new RedisStore(client), shelf, close: () => client.close() }
  },
}

/** Sessions expire, as they must on every backend. No versions, no conditions: of two writes at once one is lost. */
function minimum(shelf: Shelf): MiddlewareHandler {
  return async (c, next) => {
    const entry = newEntry()
    const value = cookieValue(c)
    let id = value && (await hash(value))
    const text = id && (await shelf.read(id))
    if (text) entry.data = JSON.parse(text)
    keepEntry(c, entry)
    await next()
    if (entry.data === undefined) return
    let fresh: string | undefined
    const isNew = !id
    if (!id) {
      fresh = base64url(crypto.getRandomValues(new Uint8Array(32)))
      id = await hash(fresh)
    }
    if (entry.written) await shelf.write(id, JSON.stringify(entry.data), isNew)
    mark(c, fresh)
  }
}

type Data = { n: number; profile: typeof PROFILE }

function oursOver(store: SessionStore): Hono<SessionEnv<Data>> {
  const app = new Hono<SessionEnv<Data>>().use(session({ store }))
  app.get('/begin', (c) => {
    c.var.session.set('n', 0)
    c.var.session.set('profile', PROFILE)
    return c.text('0')
  })
  app.get('/read', (c) => c.text(String(c.var.session.get('n'))))
  return app.get('/write', (c) => {
    c.var.session.update('n', (n = 0) => n + 1)
    return c.text(String(c.var.session.get('n')))
  })
}

function minimumOver(shelf: Shelf): Hono {
  const entryOf = (c: Context): ReturnType<typeof newEntry> => c.get('entry')
  const app = new Hono().use(minimum(shelf))
  app.get('/begin', (c) => {
    Object.assign(entryOf(c), { data: { n: 0, profile: PROFILE }, written: true })
    return c.text('0')
  })
  app.get('/read', (c) => c.text(String(entryOf(c).data?.n)))
  return app.get('/write', (c) => {
    const entry = entryOf(c)
    entry.written = true
    return c.text(String(entry.data && ++entry.data.n))
  })
}

/** One visitor for each of the requests that are on their way at once; every answer is checked. */
async function visit(
  app: { fetch: Hono['fetch'] },
  { work, n, atOnce }: BackendQuestion,
  env: Env,
  ctx: ExecutionContext,
): Promise<number> {
  const ask = async (path: string, cookie = ''): Promise<Response> => {
    const headers = { Cookie: cookie }
    return app.fetch(new Request(`https://shop.example${path}`, { headers }), env, ctx)
  }
  const visitors = await Promise.all(
    Array.from({ length: atOnce }, async () => {
      const [line = ''] = (await ask('/begin')).headers.getSetCookie()
      return { cookie: line.split(';')[0] ?? '', n: 0 }
    }),
  )
  const start = Date.now()
  await Promise.all(
    visitors.map(async (visitor) => {
      for (let i = 0; i < n / atOnce; i++) {
        if (work === 'write') visitor.n++
        const response = await ask(`/${work}`, work === 'begin' ? '' : visitor.cookie)
        const body = await response.text()
        const expected = work === 'begin' ? '0' : String(visitor.n)
        if (body !== expected) throw new Error(`${work}: ${body} instead of ${expected}`)
      }
    }),
  )
  return Date.now() - start
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const question = await request.json<BackendQuestion>()
    const { store, shelf, close } = await BACKENDS[question.backend](env)
    try {
      const app = question.isOurs ? oursOver(store) : minimumOver(shelf)
      return Response.json(await visit(app as Hono, question, env, ctx))
    } finally {
      await close()
    }
  },
}
