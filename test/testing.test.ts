import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import {
  KeyedStore,
  MemoryStore,
  Session,
  type SessionEnv,
  type SessionRecord,
  type SessionStore,
  session,
} from '../src/index.ts'
import {
  FaultyStore,
  type StoreCapabilities,
  sessionCookie,
  storeContract,
} from '../src/testing.ts'

let names = 0
const newStore = (): MemoryStore => new MemoryStore({ name: `testing-${names++}`, warn: false })

interface Outcome {
  title: string
  error: Error | undefined
}

/** Runs the suite on a store with a runner of our own, as somebody with another one would. */
async function verdict(
  makeStore: () => SessionStore | Promise<SessionStore>,
  capabilities?: StoreCapabilities,
): Promise<Outcome[]> {
  const tests: [string, () => Promise<void>][] = []
  storeContract('S', makeStore, {
    test: (title, run) => void tests.push([title, run]),
    ...(capabilities && { capabilities }),
  })
  const outcomes: Outcome[] = []
  for (const [title, run] of tests) {
    const error = await run().then(
      () => undefined,
      (thrown: Error) => thrown,
    )
    outcomes.push({ title, error })
  }
  return outcomes
}

/** The rules that a store was told to have broken. */
async function broken(makeStore: () => SessionStore): Promise<string[]> {
  const failed = (await verdict(makeStore)).flatMap(({ error }) => (error ? [error] : []))
  return [...new Set(failed.map(({ message }) => message.split(':')[0] ?? ''))].sort()
}

/** A store on which single methods are replaced. */
function wrap(change: (store: MemoryStore) => Partial<SessionStore>): () => SessionStore {
  return () => {
    const store = newStore()
    const methods = [
      'loadSession',
      'storeSession',
      'destroySession',
      'clearStore',
      'isWellFormed',
      'sessionsOf',
      'destroySessionsOf',
      'destroySessionById',
    ] as const
    const bound = Object.fromEntries(methods.map((method) => [method, store[method].bind(store)]))
    return { ...(bound as unknown as SessionStore), ...change(store) }
  }
}

/** A backend in a Map, on which single operations are replaced. */
class Table extends KeyedStore {
  readonly rows = new Map<string, SessionRecord>()
  async read(id: string): Promise<SessionRecord | undefined> {
    return this.rows.get(id)
  }
  async insert(id: string, record: SessionRecord): Promise<boolean> {
    return !this.rows.has(id) && Boolean(this.rows.set(id, record))
  }
  async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
    return this.rows.get(id)?.version === version && Boolean(this.rows.set(id, record))
  }
  async remove(id: string, version?: string): Promise<boolean> {
    if (version !== undefined && this.rows.get(id)?.version !== version) return false
    return this.rows.delete(id)
  }
  async removeAll(): Promise<void> {
    this.rows.clear()
  }
  override async recordsOf(owner: string): Promise<[string, SessionRecord][]> {
    return [...this.rows].filter(([, record]) => record.owner === owner)
  }
}

describe('storeContract', () => {
  test('is passed by a sound store, with any runner', async () => {
    for (const make of [newStore, () => new Table(), () => new FaultyStore(newStore())]) {
      const outcomes = await verdict(make)
      expect(outcomes.filter(({ error }) => error)).toEqual([])
      expect(outcomes.length).toBeGreaterThan(45)
    }
  })

  test('says in one title what was not tested', async () => {
    const titles = (
      await verdict(newStore, { owners: true, clear: false, conditionalWrites: false })
    ).map(({ title }) => title)
    expect(titles[0]).toBe('S: not tested, because it cannot: conditionalWrites, clear')
    expect(titles.join()).not.toMatch(/clearStore|T7/)
  })

  test('does not let a store claim less than it has (O2)', async () => {
    const [first] = await verdict(newStore, { owners: false })
    expect(first?.error?.message).toMatch(/^O2: /)
  })

  test('takes a store that is made asynchronously', async () => {
    const outcomes = await verdict(async () => newStore())
    expect(outcomes.every(({ error }) => !error)).toBe(true)
  })

  describe('finds what is wrong, and nothing else', () => {
    test('destroy does nothing', async () => {
      expect(await broken(wrap(() => ({ destroySession: async () => {} })))).toEqual(['T11'])
    })

    test('one object is handed to everyone', async () => {
      const shared = new Map<string, Session>()
      const make = wrap((store) => ({
        loadSession: async (value) => {
          const known = shared.get(value)
          const loaded = await store.loadSession(value)
          if (!loaded || !known) {
            if (loaded) shared.set(value, loaded)
            return loaded
          }
          return known
        },
      }))
      expect(await broken(make)).toEqual(['T13'])
    })

    test('SESSION_GONE is swallowed', async () => {
      const make = wrap((store) => ({
        storeSession: async (stored) => {
          try {
            return await store.storeSession(stored)
          } catch (error) {
            if ((error as { code?: string }).code === 'SESSION_GONE') return undefined
            throw error
          }
        },
      }))
      expect(await broken(make)).toEqual(['T2'])
    })

    test('a malformed value throws', async () => {
      const make = wrap((store) => ({
        loadSession: async (value) => {
          if (!store.isWellFormed(value)) throw new Error('malformed')
          return store.loadSession(value)
        },
      }))
      expect(await broken(make)).toEqual(['T1'])
    })

    test('an update creates', async () => {
      class Upsert extends Table {
        override async replace(
          id: string,
          record: SessionRecord,
          version: string,
        ): Promise<boolean> {
          if (this.rows.has(id)) return super.replace(id, record, version)
          this.rows.set(id, record)
          return true
        }
      }
      expect(await broken(() => new Upsert())).toEqual(['T6'])
    })

    test('an update is lost', async () => {
      class LastWins extends Table {
        override async replace(id: string, record: SessionRecord): Promise<boolean> {
          return this.rows.has(id) && Boolean(this.rows.set(id, record))
        }
      }
      expect(await broken(() => new LastWins())).toEqual(['S6', 'T6', 'T7', 'T7 S5', 'T8', 'T8 T7'])
    })

    test('a removal does not look at the version', async () => {
      class Careless extends Table {
        override async remove(id: string): Promise<boolean> {
          return this.rows.delete(id)
        }
      }
      expect(await broken(() => new Careless())).toEqual(['T8 T7'])
    })

    test('expiry is left to the backend', async () => {
      const make = wrap((store) => ({
        loadSession: async (value) => {
          const { now } = Date
          const real = performance.timeOrigin + performance.now()
          Date.now = () => real
          try {
            return await store.loadSession(value)
          } finally {
            Date.now = now
          }
        },
      }))
      expect(await broken(make)).toEqual(['T9'])
    })

    test('an insert overwrites', async () => {
      class Overwrite extends Table {
        override async insert(id: string, record: SessionRecord): Promise<boolean> {
          return Boolean(this.rows.set(id, record))
        }
      }
      expect(await broken(() => new Overwrite())).toEqual(['T5'])
    })

    test('owners are compared without case', async () => {
      class Collating extends Table {
        override async recordsOf(owner: string): Promise<[string, SessionRecord][]> {
          return [...this.rows].filter(
            ([, record]) => record.owner?.toLowerCase() === owner.toLowerCase(),
          )
        }
      }
      expect(await broken(() => new Collating())).toEqual(['O1'])
    })

    test('clearStore does nothing', async () => {
      expect(await broken(wrap(() => ({ clearStore: async () => {} })))).toEqual(['T11'])
    })

    test('the text is changed on the way', async () => {
      class Lossy extends Table {
        override async insert(id: string, record: SessionRecord): Promise<boolean> {
          return super.insert(id, { ...record, body: record.body.replaceAll('\\u0000', '') })
        }
      }
      expect(await broken(() => new Lossy())).toEqual(['T13 S3'])
    })
  })
})

describe('sessionCookie', () => {
  interface Data {
    cart: string[]
  }
  const appOver = (store: SessionStore): Hono<SessionEnv<Data>> => {
    const app = new Hono<SessionEnv<Data>>()
    app.use(session<Data>({ store }))
    app.get('/cart', (c) => c.json({ cart: c.var.session.get('cart'), owner: c.var.session.owner }))
    return app
  }

  test.each(['http://localhost/cart', 'https://shop.example/cart', '/cart'])(
    'makes a visitor who has that session, for %s',
    async (url) => {
      const store = newStore()
      const cookie = await sessionCookie<Data>(store, { cart: ['tea'] }, { owner: 'ada' })
      const response = await appOver(store).request(url, { headers: { Cookie: cookie } })
      expect(await response.json()).toEqual({ cart: ['tea'], owner: 'ada' })
      expect(response.headers.get('Set-Cookie')).toBeNull()
    },
  )

  test('and for a cookie with a path', async () => {
    const store = newStore()
    const app = new Hono<SessionEnv<Data>>()
    app.use(session<Data>({ store, cookie: { path: '/cart' } }))
    app.get('/cart', (c) => c.json(c.var.session.get('cart')))
    const Cookie = await sessionCookie<Data>(store, { cart: ['tea'] })
    const response = await app.request('https://shop.example/cart', { headers: { Cookie } })
    expect(await response.json()).toEqual(['tea'])
  })

  test('under another name', async () => {
    const store = newStore()
    const app = new Hono<SessionEnv<Data, 'admin'>>()
    app.use(session<Data, 'admin'>({ store, name: 'admin' }))
    app.get('/cart', (c) => c.json(c.var.admin.get('cart')))
    const cookie = await sessionCookie<Data>(store, { cart: ['tea'] }, { name: 'admin' })
    const response = await app.request('/cart', { headers: { Cookie: cookie } })
    expect(await response.json()).toEqual(['tea'])
    expect(cookie).not.toMatch(/(^|-| )session=/)
  })
})

describe('FaultyStore', () => {
  test('has the methods that the store has which it wraps', () => {
    const whole = new FaultyStore(newStore())
    const bare = new FaultyStore({
      loadSession: async () => undefined,
      storeSession: async () => undefined,
      destroySession: async () => {},
      clearStore: async () => {},
    })
    for (const method of [
      'isWellFormed',
      'sessionsOf',
      'destroySessionsOf',
      'destroySessionById',
    ]) {
      expect(method in whole).toBe(true)
      expect(method in bare).toBe(false)
    }
  })

  test('fails the next call only, with the error it is given', async () => {
    const store = new FaultyStore(newStore())
    const error = new Error('down')
    store.failNext('storeSession', error)
    await expect(store.storeSession(new Session())).rejects.toBe(error)
    expect(await store.storeSession(new Session())).toHaveLength(43)
    store.failNext('sessionsOf')
    await expect(store.sessionsOf?.('ada')).rejects.toThrow('sessionsOf fails on purpose')
    expect(store.calls.map(({ method }) => method)).toEqual([
      'storeSession',
      'storeSession',
      'sessionsOf',
    ])
  })

  test('stalls a call before it does anything, or after it did', async () => {
    const inner = newStore()
    const store = new FaultyStore(inner)
    for (const [stall, there] of [
      [store.stallNext('storeSession'), 0],
      [store.stallNextAfter('storeSession'), 2],
    ] as const) {
      const stored = store.storeSession(new Session())
      await stall.reached
      expect(await inner.count()).toBe(there)
      stall.release()
      expect(await stored).toHaveLength(43)
    }
  })
})
