// A visitor's session in a MemoryStore; says whether this isolate knew it.
import { Hono } from 'hono'
import { MemoryStore, type SessionEnv, session } from '../../src/index.ts'

const app = new Hono<SessionEnv<{ visits: number }>>()

app.use(session<{ visits: number }>({ store: new MemoryStore({ warn: false }) }))

app.get('/', (c) => c.json({ known: !c.var.session.isNew }))

app.post('/', (c) => {
  const known = !c.var.session.isNew
  c.var.session.update('visits', (visits = 0) => visits + 1)
  return c.json({ known })
})

export default app
