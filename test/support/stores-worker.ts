// The story app over every store, each below a path of its own.
import { Hono } from 'hono'
import { MemoryStore } from '../../src/index.ts'
import { CachingStore } from '../../src/stores/caching.ts'
import { D1Store } from '../../src/stores/d1.ts'
import { DurableObjectStore, type SessionObject } from '../../src/stores/durable-object.ts'
import { KVStore } from '../../src/stores/kv.ts'
import { storyApp } from './story-app.ts'

export { SessionObject } from '../../src/stores/durable-object.ts'

interface Bindings {
  KV: KVNamespace
  DB: D1Database
  SESSIONS: DurableObjectNamespace<SessionObject>
}

const memory = new MemoryStore({ warn: false })

const app = new Hono<{ Bindings: Bindings }>()
app.post('/migrate', async (c) => {
  await new D1Store(c.env.DB).migrate()
  return c.text('migrated')
})
app.get('/count', async (c) => {
  const store = new D1Store(c.env.DB)
  const rows = await store.count()
  await store.cleanup()
  return c.json([rows, await store.count()])
})
app.route('/memory', storyApp({ store: memory }) as never)
app.route('/d1', storyApp({ store: (c) => new D1Store(c.env.DB) }) as never)
app.route('/kv', storyApp({ store: (c) => new KVStore(c.env.KV) }) as never)
app.route(
  '/durable-object',
  storyApp({ store: (c) => new DurableObjectStore(c.env.SESSIONS) }) as never,
)
app.route(
  '/caching',
  storyApp({
    store: (c) => new CachingStore(new D1Store(c.env.DB), { maxAge: 1 }),
  }) as never,
)

export default app
