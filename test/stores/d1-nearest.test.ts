import { env } from 'cloudflare:workers'
import { describe, expect, test } from 'vitest'
import { idOf } from '../../src/crypto/values.ts'
import { Session, type SessionStore } from '../../src/index.ts'
import { D1Store } from '../../src/stores/d1.ts'
import { storeContract } from '../../src/testing.ts'
import { useClock } from '../support/clock.ts'
import { httpStory } from '../support/http-story.ts'
import { LaggingD1 } from '../support/lagging-d1.ts'
import { makeSecret } from '../support/secret.ts'
import { storyApp } from '../support/story-app.ts'
import { Visitor } from '../support/visitor.ts'

const clock = useClock()
let tables = 0

async function newDatabase(): Promise<{ db: LaggingD1; table: string }> {
  const table = `near_${tables++}_${crypto.randomUUID().slice(0, 8)}`
  const db = await LaggingD1.create(env.DB, table, (real, name) =>
    new D1Store(real, { table: name }).migrate(),
  )
  return { db, table }
}

async function newStore(): Promise<{ db: LaggingD1; store: D1Store }> {
  const { db, table } = await newDatabase()
  return { db, store: new D1Store(db, { table, reads: 'nearest' }) }
}

async function issue(store: SessionStore, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

const load = async (store: SessionStore, value: string): Promise<Session> =>
  (await store.loadSession(value)) ?? expect.fail('no session')

// The double first: it must not be kinder than D1.
storeContract(
  'D1Store on a database with replicas',
  async () => {
    const { db, table } = await newDatabase()
    return new D1Store(db, { table })
  },
  { test },
)

storeContract(
  'D1Store that reads from the nearest replica',
  async () => {
    const { db, store } = await newStore()
    // The suite has one cookie value in two requests, each of which has to see the other's changes.
    db.isPrompt = true
    return store
  },
  { test },
)

for (const reads of ['primary', 'nearest'] as const) {
  httpStory(`D1Store that reads from the ${reads} of a database whose replicas lag`, async () => {
    const { db, table } = await newDatabase()
    const app = storyApp({ store: new D1Store(db, { table, reads }) })
    // The replica knows of each request after it has ended.
    return async (url, init) => {
      const response = await app.request(url, init)
      await db.catchUp(1, 2)
      db.nearest = (db.nearest + 1) % 3
      if (reads === 'nearest') await db.catchUp()
      return response
    }
  })
}

describe('D1 reads: nearest', () => {
  const VALUE = /^[\w-]{43}\.[0-9a-f-]+\w*$/

  test('the cookie value is 43 characters, a dot and the bookmark, and the id that of the 43', async () => {
    const { store } = await newStore()
    const session = new Session()
    const value = (await store.storeSession(session)) ?? expect.fail()
    expect(value).toMatch(VALUE)
    expect(session.id).toBe(await idOf(value.slice(0, 43)))
    expect((await load(store, value)).id).toBe(session.id)
  })

  test.each([null, undefined, '', 'a b', 'a;b', 'x'.repeat(257), 5])(
    'where D1 gives %j for a bookmark, the cookie value has none',
    async (bookmark) => {
      const { db, table } = await newDatabase()
      const withSession = db.withSession.bind(db)
      db.withSession = (constraint) =>
        Object.assign(withSession(constraint), { getBookmark: () => bookmark as never })
      const store = new D1Store(db, { table, reads: 'nearest' })
      const value = await issue(store)
      expect(value).toMatch(/^[\w-]{43}$/)
      const session = await load(store, value)
      session.set('n', 1)
      expect(await store.storeSession(session)).toBeUndefined()
      expect((await load(store, value)).get('n')).toBe(1)
    },
  )

  test('a read is one query at a replica, a write two: one read there, one write at the primary', async () => {
    const { db, store } = await newStore()
    const value = await issue(store)
    await db.catchUp()
    db.queries.length = 0
    const session = await load(store, value)
    expect(db.queries).toEqual(['replica 0 read'])
    session.set('n', 1)
    await store.storeSession(session)
    expect(db.queries).toEqual(['replica 0 read', 'primary write'])
  })

  test('signing in on one continent and going on on another is no bounce', async () => {
    const { db, table } = await newDatabase()
    const app = storyApp({ store: new D1Store(db, { table, reads: 'nearest' }) })
    const ada = new Visitor(app as never)
    const post = { method: 'POST' }
    for (const nearest of [0, 1, 2]) {
      db.nearest = nearest
      await ada.visit(`/sign-in/ada${nearest}`, post)
      for (db.nearest of [2, 1, 0]) {
        expect(JSON.parse(await ada.text('/look'))).toMatchObject({ owner: `ada${nearest}` })
        await ada.visit('/count', post)
      }
      expect(JSON.parse(await ada.text('/look'))).toMatchObject({ visits: 3 * (nearest + 1) })
    }
  })

  test('a session that another store has loaded is stored, and its cookie stays', async () => {
    const { db, table } = await newDatabase()
    const [primary, nearest] = [
      new D1Store(db, { table }),
      new D1Store(db, { table, reads: 'nearest' }),
    ]
    const value = await issue(primary)
    const session = await load(primary, value)
    session.set('n', 1)
    expect(await nearest.storeSession(session)).toBeUndefined()
    expect((await load(primary, value)).get('n')).toBe(1)
  })

  test('every write sends a new bookmark, and reading sends none', async () => {
    const { db, store } = await newStore()
    const first = await issue(store)
    const session = await load(store, first)
    session.set('n', 1)
    const second = await store.storeSession(session)
    expect(second?.slice(0, 43)).toBe(first.slice(0, 43))
    expect(second).toMatch(VALUE)
    expect(second).not.toBe(first)
    session.regenerate()
    const third = (await store.storeSession(session)) ?? expect.fail()
    expect(third.slice(0, 43)).not.toBe(first.slice(0, 43))
    db.queries.length = 0
    expect(await store.storeSession(await load(store, third))).toBeUndefined()
    expect(db.queries).toEqual(['primary read'])
  })

  test('a sign-out elsewhere is read late, and what a late request writes is refused', async () => {
    const { db, store } = await newStore()
    const value = await issue(store, (session) => session.signIn('ada'))
    await db.catchUp()
    await store.destroySession(await load(store, value))
    const late = await load(store, value)
    expect(late.owner).toBe('ada')
    late.set('n', 1)
    await expect(store.storeSession(late)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    await expect(store.reloadSession(late)).resolves.toBe(false)
    await db.catchUp(0)
    expect(await store.loadSession(value)).toBeUndefined()
    expect(await store.count()).toBe(0)
  })

  test('twenty writers of one session, each reading what is old, lose nothing', async () => {
    const { db, store } = await newStore()
    const value = await issue(store)
    await db.catchUp()
    const add = async (): Promise<void> => {
      const session = await load(store, value)
      session.update('n', (n) => Number(n ?? 0) + 1)
      await store.storeSession(session)
    }
    await Promise.all(Array.from({ length: 20 }, add))
    await db.catchUp()
    expect((await load(store, value)).get('n')).toBe(20)
  })

  test('O1 sign-out everywhere counts and ends all, whatever the replicas know', async () => {
    const { db, store } = await newStore()
    const values: string[] = []
    for (db.nearest of [0, 1, 2]) {
      values.push(await issue(store, (session) => session.signIn('ada')))
      await db.catchUp(0)
    }
    expect(await store.sessionsOf('ada')).toHaveLength(3)
    expect(await store.destroySessionsOf('ada')).toBe(3)
    await db.catchUp()
    for (const value of values) expect(await store.loadSession(value)).toBeUndefined()
  })

  describe('a bookmark that D1 did not give to this visitor', () => {
    const FORGED: Record<string, (real: string) => string> = {
      'from the future': (real) => `ffffffff${real.slice(8)}`,
      'of another database': (real) => real.replace(/\w+$/, 'other'),
      malformed: () => 'nonsense',
      'older than the session': (real) => `00000000${real.slice(8)}`,
    }
    test.each(Object.keys(FORGED))(
      '%s costs one query more at most, and no error',
      async (what) => {
        const { db, store } = await newStore()
        const value = await issue(store, (session) => session.signIn('ada'))
        await db.catchUp()
        const [secret = '', bookmark = ''] = value.split('.')
        db.queries.length = 0
        const session = await load(store, `${secret}.${FORGED[what]?.(bookmark)}`)
        expect(session.owner).toBe('ada')
        expect(db.queries.length).toBeLessThanOrEqual(2)
      },
    )

    test('that is refused only by the query is read from the primary as well', async () => {
      const { db, table } = await newDatabase()
      const value = await issue(new D1Store(db, { table, reads: 'nearest' }))
      const refusing = {
        prepare: (sql: string) => db.prepare(sql),
        withSession: (constraint: string) => {
          if (constraint === 'first-primary') return db.withSession(constraint)
          const fails = async (): Promise<never> => {
            throw new Error('D1_ERROR: bookmark is too old')
          }
          const statement = { bind: () => statement, all: fails, run: fails }
          return { prepare: () => statement }
        },
      }
      const store = new D1Store(refusing, { table, reads: 'nearest' })
      expect(await store.loadSession(value)).toBeDefined()
    })

    test('without one it is read from the primary', async () => {
      const { db, store } = await newStore()
      const value = await issue(store)
      db.queries.length = 0
      await load(store, value.slice(0, 43))
      expect(db.queries).toEqual(['primary read'])
    })

    test.each(['', '.', 'a.b', 'ä', ' x', 'x'.repeat(257), 'x'.repeat(10_000), 'a;b', 'a,b'])(
      'T1 %j is no value of this store, and costs nothing',
      async (bookmark) => {
        const { db, store } = await newStore()
        const value = await issue(store)
        db.queries.length = 0
        expect(store.isWellFormed(`${value.slice(0, 43)}.${bookmark}`)).toBe(false)
        expect(await store.loadSession(`${value.slice(0, 43)}.${bookmark}`)).toBeUndefined()
        expect(db.queries).toEqual([])
      },
    )
  })

  test('M10 with secrets the bookmark is under the signature', async () => {
    const { db, table } = await newDatabase()
    const store = new D1Store(db, { table, reads: 'nearest' })
    const app = storyApp({ store, secrets: makeSecret() })
    const ada = new Visitor(app as never)
    await ada.visit('/count', { method: 'POST' })
    const [name = '', cookie = ''] = [...ada.cookies][0] ?? []
    expect(cookie).toMatch(/^[\w-]{43}\.[\w-]+\.[\w-]{43}$/)
    expect(JSON.parse(await ada.text('/look'))).toMatchObject({ isNew: false })
    const [secret, , signature] = cookie.split('.')
    ada.cookies.set(name, `${secret}.00000000-00000000-00000000-x.${signature}`)
    db.queries.length = 0
    expect(JSON.parse(await ada.text('/look'))).toMatchObject({ isNew: true })
    expect(db.queries).toEqual([])
  })

  test('a late save() in a stream is stored, and its bookmark goes nowhere', async () => {
    const { db, table } = await newDatabase()
    const store = new D1Store(db, { table, reads: 'nearest' })
    const app = storyApp({ store })
    let late: Session | undefined
    app.get('/late', (c) => {
      c.var.session.get('visits')
      late = c.var.session as never
      return c.text('ok')
    })
    const ada = new Visitor(app as never)
    await ada.visit('/count', { method: 'POST' })
    await ada.visit('/late')
    const before = [...ada.cookies.values()]
    await late?.save((session) => session.set('visits', 7))
    expect([...ada.cookies.values()]).toEqual(before)
    await db.catchUp()
    expect(JSON.parse(await ada.text('/look'))).toMatchObject({ visits: 7 })
  })

  test('an extension moves record, cookie and bookmark', async () => {
    const { db, table } = await newDatabase()
    const store = new D1Store(db, { table, reads: 'nearest' })
    const ada = new Visitor(storyApp({ store, idleTimeout: 1000 }) as never)
    await ada.visit('/count', { method: 'POST' })
    const [before = ''] = ada.cookies.values()
    clock.advance(500)
    const response = await ada.visit('/look')
    expect(response.headers.get('Set-Cookie')).toContain('Max-Age=1000')
    const [after = ''] = ada.cookies.values()
    expect([after.slice(0, 43), after === before]).toEqual([before.slice(0, 43), false])
  })

  test('what has no sessions is refused, and without the option nothing has changed', async () => {
    const { db, table } = await newDatabase()
    const bare = { prepare: (sql: string) => db.prepare(sql) }
    expect(() => new D1Store(bare, { table, reads: 'nearest' })).toThrow(/Pass `env.DB`/)
    expect(() => new D1Store(db, { table, reads: 'near' as never })).toThrow(TypeError)
    const plain = new D1Store(db, { table })
    const value = await issue(plain)
    expect(value).toMatch(/^[\w-]{43}$/)
    expect(plain.isWellFormed(`${value}.x`)).toBe(false)
    expect(new D1Store(db, { table, reads: 'nearest' }).isWellFormed(value)).toBe(true)
  })
})
