import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { MemoryStore, type SessionEnv, session } from '../../src/index.ts'
import { Visitor } from '../support/visitor.ts'

type Data = { cart: string[] }
type Env = SessionEnv<Data> & SessionEnv<Data, 'session2'>

test('a visitor moves from one store to another without being signed out, as the guide says', async () => {
  const [from, to] = ['from', 'to'].map(
    (name) => new MemoryStore({ name: `moving-${name}-${crypto.randomUUID()}`, warn: false }),
  )
  if (!from || !to) throw new Error('two were made')

  const before = new Hono<SessionEnv<Data>>()
  before.use(session<Data>({ store: from }))
  before.post('/sign-in', (c) => {
    c.var.session.signIn('ada')
    c.var.session.set('cart', ['tea'])
    return c.text('ok')
  })
  const ada = new Visitor(before as never)
  await ada.visit('/sign-in', { method: 'POST' })

  const after = new Hono<Env>()
  after.use(session<Data>({ store: from }))
  after.use(session<Data, 'session2'>({ name: 'session2', store: to }))
  after.use(async (c, next) => {
    const { session: old, session2: fresh } = c.var
    if (fresh.isNew && !old.isNew) {
      if (old.owner !== undefined) fresh.signIn(old.owner)
      for (const key of old.keys()) fresh.set(key, old.get(key) as Data[typeof key])
      old.destroy()
    }
    await next()
  })
  after.get('/', (c) => c.json([c.var.session2.owner, c.var.session2.get('cart')]))

  const moved = new Visitor(after as never)
  for (const [name, value] of ada.cookies) moved.cookies.set(name, value)
  for (let visit = 0; visit < 2; visit++) {
    expect(await moved.text('/')).toBe('["ada",["tea"]]')
    expect([...moved.cookies.keys()]).toEqual(['__Host-session2'])
    expect([await from.count(), await to.count()]).toEqual([0, 1])
  }
})
