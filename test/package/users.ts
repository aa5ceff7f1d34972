// Users' files as strings, to be written into folders outside of this repository.

/** A Worker with every store, each below a path of its own. */
export const WORKER = `
import { Hono } from 'hono'
import { CookieStore, MemoryStore, session } from 'isolate-session'
import { CachingStore } from 'isolate-session/caching'
import { D1Store } from 'isolate-session/d1'
import { DurableObjectStore, type SessionNamespace } from 'isolate-session/durable-object'
import { KVStore } from 'isolate-session/kv'

export { SessionObject } from 'isolate-session/durable-object'

type Env = { Bindings: { DB: D1Database; KV: KVNamespace; SESSIONS: SessionNamespace; SECRET: string } }
const stores = {
  memory: () => new MemoryStore({ warn: false }),
  cookie: (c: { env: Env['Bindings'] }) => new CookieStore({ secrets: c.env.SECRET }),
  d1: (c: { env: Env['Bindings'] }) => new D1Store(c.env.DB),
  object: (c: { env: Env['Bindings'] }) => new DurableObjectStore(c.env.SESSIONS),
  kv: (c: { env: Env['Bindings'] }) => new KVStore(c.env.KV),
  caching: (c: { env: Env['Bindings'] }) => new CachingStore(new D1Store(c.env.DB), { maxAge: 5 }),
}

const app = new Hono<Env>()
app.get('/migrate', async (c) => {
  await new D1Store(c.env.DB).migrate()
  return c.text('done')
})
for (const [name, store] of Object.entries(stores)) {
  app.get('/' + name, session<{ n: number }>({ store }), (c) => {
    c.var.session.update('n', (n = 0) => n + 1)
    return c.text(String(c.var.session.get('n')))
  })
}
export default app
`

export const WRANGLER = `
name = "app"
main = "src/index.ts"
compatibility_date = "2026-10-23"
[[durable_objects.bindings]]
name = "SESSIONS"
class_name = "SessionObject"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["SessionObject"]
`

/** For Node, Bun and Deno: no server, no Worker. */
export const SCRIPT = `
import { Hono } from 'hono'
import { CookieStore, MemoryStore, session } from 'isolate-session'
import { FaultyStore, sessionCookie } from 'isolate-session/testing'

const store = new MemoryStore()
const secrets = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))
const app = new Hono()
app.use('/memory', session({ store, secrets }))
app.use('/cookie', session({ store: new CookieStore({ secrets }) }))
app.use('/faulty', session({ store: faulty(), secrets }))
app.get('/:where', (c) => {
  c.var.session.update('n', (n = 0) => n + 1)
  return c.text(String(c.var.session.get('n')))
})
function faulty() {
  const store = new FaultyStore(new MemoryStore())
  store.failNext('storeSession')
  return store
}
app.onError((error, c) => c.text(error.code, 503))
const said = []
for (const path of ['/memory', '/cookie']) {
  let headers = {}
  for (const _ of [1, 2]) {
    const response = await app.request(path, { headers })
    headers = { Cookie: response.headers.get('Set-Cookie')?.split(';')[0] ?? headers.Cookie }
    said.push(await response.text())
  }
}
const headers = { Cookie: await sessionCookie(store, { n: 41 }, { owner: 'ada', secrets }) }
said.push(await (await app.request('/memory', { headers })).text(), (await store.sessionsOf('ada')).length)
said.push(await (await app.request('/faulty')).text())
console.log('said: ' + said.join(' '))
`
