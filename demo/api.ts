import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type Session, type SessionEnv, type SessionStore, session } from '../src/index.js'
import { describeIsolate, stores } from './stores.js'

export interface Visitor {
  visits: number
  flash: string
  [key: string]: unknown
}

type Env = SessionEnv<Visitor>

/** Each store has a cookie of its own, so that a visitor can have a session in every one. */
const cookieNameFor = (store: string): string =>
  store === 'memory' ? 'session' : `session-${store}`

/** Keys the playground uses itself. */
const OWN_KEYS = ['visits', 'flash']

/** The same routes for one store. */
function routesFor(
  name: string,
  storeFor: (c: Context) => SessionStore | Promise<SessionStore>,
): Hono<Env> {
  const app = new Hono<Env>()
  const cookieName = cookieNameFor(name)
  app.use(session<Visitor, string>({ store: storeFor, name: cookieName }))
  app.use(async (c, next) => {
    c.set('session', (c as Context<SessionEnv<Visitor, string>>).get(cookieName))
    await next()
  })

  app.get('/session', async (c) =>
    c.json({ store: name, session: describe(c.var.session), isolate: await describeIsolate() }),
  )

  app.post('/visits', (c) => {
    c.var.session.update('visits', (visits = 0) => visits + 1)
    return c.json({ visits: c.var.session.get('visits') })
  })

  app.post('/data', async (c) => {
    const { key, value } = await fields(c, ['key', 'value'])
    if (typeof key !== 'string' || key === '') throw badRequest('key must be a string')
    if (OWN_KEYS.includes(key)) throw badRequest('the playground uses that key itself')
    try {
      c.var.session.set(key, value)
    } catch (error) {
      // A key the library refuses. Its messages never hold the value.
      throw error instanceof TypeError ? badRequest(error.message) : error
    }
    return c.json({ data: dataOf(c.var.session) })
  })

  app.post('/flash', async (c) => {
    const { message } = await fields(c, ['message'])
    if (typeof message !== 'string') throw badRequest('message must be a string')
    c.var.session.flash('flash', message)
    return c.json({ message })
  })

  app.get('/flash', (c) => c.json({ message: c.var.session.get('flash') ?? null }))

  app.post('/sign-in', async (c) => {
    const { user } = await fields(c, ['user'])
    if (typeof user !== 'string') throw badRequest('user must be a string')
    try {
      c.var.session.signIn(user, { keep: ['visits'] })
    } catch (error) {
      throw error instanceof TypeError ? badRequest(error.message) : error
    }
    await c.var.session.save() // so that the id is the new one
    return c.json({ owner: c.var.session.owner, id: c.var.session.id })
  })

  app.post('/sign-out', (c) => {
    c.var.session.destroy()
    return c.json({ signedOut: true })
  })

  app.get('/devices', async (c) => {
    const { owner, id } = c.var.session
    const sessions = (owner !== undefined && (await (await storeFor(c)).sessionsOf?.(owner))) || []
    const devices = sessions.map((device) => ({
      id: device.id,
      createdAt: device.createdAt,
      expiry: device.expiry ?? null,
      current: device.id === id,
    }))
    return c.json({ owner: owner ?? null, devices })
  })

  app.post('/sign-out-everywhere', async (c) => {
    const { owner } = c.var.session
    if (owner === undefined) return c.json({ ended: 0 })
    const store = await storeFor(c)
    const ended = await store.destroySessionsOf?.(owner, { except: c.var.session })
    return c.json({ ended: ended ?? 0 })
  })

  return app
}

function describe(visitor: Session<Visitor>): object {
  const { id, isNew, createdAt, expiry, owner } = visitor
  return {
    id: id ?? null,
    isNew,
    createdAt,
    expiry: expiry ?? null,
    owner: owner ?? null,
    data: dataOf(visitor),
  }
}

/** Everything but flashes, which `get` would take. */
function dataOf(visitor: Session<Visitor>): object {
  return Object.fromEntries([...visitor.keys()].map((key) => [key, visitor.get(key)]))
}

async function fields<K extends string>(c: Context, names: K[]): Promise<Record<K, unknown>> {
  const body: unknown = await c.req.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null) throw badRequest('the body must be a JSON object')
  for (const name of names) if (!Object.hasOwn(body, name)) throw badRequest(`${name} is missing`)
  return body as Record<K, unknown>
}

function badRequest(error: string): HTTPException {
  return new HTTPException(400, { res: Response.json({ error }, { status: 400 }) })
}

export const api: Hono = new Hono()
for (const [name, storeFor] of Object.entries(stores)) {
  api.route(`/${name}`, routesFor(name, storeFor))
}
api.all('*', (c) => c.json({ error: 'There is no such store or route.' }, 404))
