import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type Session, SessionError } from '../src/index.ts'
import { connection } from './connection.ts'
import { recorded } from './recorded.ts'
import { appWith, TIMEOUTS } from './sessions.ts'
import { describeIsolate, type StoreFor, stores } from './stores.ts'
import type { Env, Visitor } from './visitor.ts'

/** Keys the playground uses itself. */
const OWN_KEYS = ['visits', 'flash', 'bySet', 'byUpdate', 'late']

/** How long a racer thinks between reading and writing, as a handler does that asks a database. Milliseconds. */
const THINKING = 40
const SLOW = 600

/** Seconds: how long "remember me" lasts in a playground. */
const REMEMBERED = 900

/** The same routes for one store. */
function routesFor(name: string, plain: StoreFor): Hono<Env> {
  const storeFor = recorded(plain)
  const app = appWith(name, storeFor)

  // The library's messages are for whoever runs the Worker, and in a playground that is the visitor.
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse()
    if (error instanceof SessionError) return c.json({ error: error.message }, 500)
    throw error
  })

  app.get('/session', async (c) =>
    c.json({
      store: name,
      session: describe(c.var.session),
      isolate: await describeIsolate(),
      timeouts: TIMEOUTS,
      now: new Date(),
    }),
  )

  app.post('/visits', (c) => {
    c.var.session.update('visits', (visits = 0) => visits + 1)
    return c.json({ visits: c.var.session.get('visits') })
  })

  app.post('/data', async (c) => {
    const { key, value } = await fields(c, ['key', 'value'])
    if (typeof key !== 'string' || key === '') throw badRequest('key must be a string')
    if (OWN_KEYS.includes(key)) throw badRequest('the playground uses that key itself')
    refusing(() => c.var.session.set(key, value))
    return c.json({ data: dataOf(c.var.session) })
  })

  app.post('/flash', async (c) => {
    const { message } = await fields(c, ['message'])
    if (typeof message !== 'string') throw badRequest('message must be a string')
    c.var.session.flash('flash', message)
    return c.json({ message })
  })

  app.get('/flash', (c) => c.json({ message: c.var.session.get('flash') ?? null }))

  app.post('/regenerate', (c) => {
    c.var.session.regenerate()
    return c.json({ rotated: !c.var.session.isNew })
  })

  app.post('/expire-in', async (c) => {
    const { seconds } = await fields(c, ['seconds'])
    if (typeof seconds !== 'number') throw badRequest('seconds must be a number')
    refusing(() => c.var.session.expireIn(seconds))
    return c.json({ seconds })
  })

  // Both begin at nothing, in a session that is there: visitors without a cookie would each get one of their own.
  app.post('/race', (c) => {
    c.var.session.set('bySet', 0)
    c.var.session.set('byUpdate', 0)
    return c.json({ bySet: 0, byUpdate: 0 })
  })

  app.post('/race/set', async (c) => {
    const read = c.var.session.get('bySet') ?? 0
    await think()
    c.var.session.set('bySet', read + 1)
    return c.json({ bySet: read + 1 })
  })

  app.post('/race/update', async (c) => {
    await think()
    c.var.session.update('byUpdate', (n = 0) => n + 1)
    return c.json({ byUpdate: c.var.session.get('byUpdate') })
  })

  // Loaded before a sign-out and stored after it, as a request of somebody in a tunnel.
  app.post('/slow', async (c) => {
    await think(SLOW)
    c.var.session.set('late', true)
    return c.json({ late: true })
  })

  app.post('/sign-in', async (c) => {
    const { user, remember } = await fields<'user' | 'remember'>(c, ['user'])
    if (typeof user !== 'string') throw badRequest('user must be a string')
    refusing(() => c.var.session.signIn(user, { keep: ['visits'], device: deviceOf(c) }))
    if (remember !== undefined) c.var.session.expireIn(REMEMBERED, { persistent: true })
    await c.var.session.save() // so that the id is the new one
    return c.json({ owner: c.var.session.owner, id: c.var.session.id })
  })

  app.post('/sign-out', (c) => {
    c.var.session.destroy()
    return c.json({ signedOut: true })
  })

  app.get('/connection', async (c) => connection(c, await storeFor(c)))

  app.get('/devices', async (c) => {
    const { owner = null, id } = c.var.session
    const store = await storeFor(c)
    const sessions = (owner !== null && (await store.sessionsOf?.(owner))) || []
    const devices = sessions.map((device) => ({
      id: device.id,
      device: device.device ?? null,
      createdAt: device.createdAt,
      lastUsedAt: device.lastUsedAt,
      expiry: device.expiry ?? null,
      current: device.id === id,
    }))
    return c.json({ owner, listed: store.sessionsOf !== undefined, devices })
  })

  app.delete('/devices/:id', async (c) => {
    const { owner } = c.var.session
    const store = await storeFor(c)
    const id = c.req.param('id')
    return c.json({
      ended: owner !== undefined && ((await store.destroySessionById?.(owner, id)) ?? false),
    })
  })

  app.post('/sign-out-everywhere', async (c) => {
    const { owner } = c.var.session
    if (owner === undefined) return c.json({ ended: 0 })
    const store = await storeFor(c)
    // `null`: this store cannot find sessions by their owner, so the others are still signed in.
    const ended = await store.destroySessionsOf?.(owner, { except: c.var.session })
    return c.json({ ended: ended ?? null })
  })

  return app
}

/** "Firefox on Linux": enough for its owner to recognise it. */
function deviceOf(c: Context): string {
  const agent = c.req.header('User-Agent') ?? ''
  const first = (names: Record<string, RegExp>): string =>
    Object.keys(names).find((name) => names[name]?.test(agent)) ?? 'something'
  const browser = first({
    Edge: /Edg\//,
    Firefox: /Firefox\//,
    Chrome: /Chrome\//,
    Safari: /Safari\//,
  })
  const system = first({
    Android: /Android/,
    iOS: /iPhone|iPad/,
    Windows: /Windows/,
    macOS: /Mac OS/,
    Linux: /Linux/,
  })
  return `${browser} on ${system}`
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

/** The body, in which these have to be. */
async function fields<K extends string>(
  c: Context,
  names: readonly K[],
): Promise<Record<K, unknown>> {
  const body: unknown = await c.req.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null) throw badRequest('the body must be a JSON object')
  for (const name of names) if (!Object.hasOwn(body, name)) throw badRequest(`${name} is missing`)
  return body as Record<K, unknown>
}

/** Here a refusal by the library is the client's mistake. Its messages never hold the value. */
function refusing(change: () => void): void {
  try {
    change()
  } catch (error) {
    const isRefusal = error instanceof TypeError || error instanceof RangeError
    throw isRefusal ? badRequest(error.message) : error
  }
}

function badRequest(error: string): HTTPException {
  return new HTTPException(400, { res: Response.json({ error }, { status: 400 }) })
}

async function think(time = THINKING): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, time))
}

export const api: Hono = new Hono()
for (const [name, storeFor] of Object.entries(stores)) {
  api.route(`/${name}`, routesFor(name, storeFor))
}
api.all('*', (c) => c.json({ error: 'There is no such store or route.' }, 404))
