import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { KeyedStore, MemoryStore, Session, type SessionStore } from '../../src/index.ts'
import { CachingStore, type CachingStoreOptions } from '../../src/stores/caching.ts'
import { D1Store } from '../../src/stores/d1.ts'
import { DurableObjectStore } from '../../src/stores/durable-object.ts'
import { KVStore } from '../../src/stores/kv.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { FaultyStore, storeContract } from '../../src/testing.ts'
import { useClock } from '../support/clock.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'

const newMemory = (): MemoryStore =>
  new MemoryStore({ name: `caching-${crypto.randomUUID()}`, warn: false })
/** A cache of its own, as another isolate has. */
const caching = (store: SessionStore, options: Partial<CachingStoreOptions> = {}): CachingStore =>
  new CachingStore(store, { maxAge: 10, name: crypto.randomUUID(), ...options })
const newStore = (): CachingStore => caching(newMemory())

storeContract('CachingStore', newStore, { test })

httpStory('CachingStore', () => {
  const app = storyApp({ store: newStore() })
  return (url, init) => app.request(url, init)
})

const clock = useClock()

interface World {
  backing: FaultyStore
  /** Two isolates, each with a cache of its own. */
  here: CachingStore
  there: CachingStore
  loads: () => number
}

function world(): World {
  const backing = new FaultyStore(newMemory())
  const [here, there] = [1, 2].map(() => caching(backing))
  if (!here || !there) throw new Error('two were made')
  const loads = (): number => backing.calls.filter(({ method }) => method === 'loadSession').length
  return { backing, here, there, loads }
}

async function issue(store: CachingStore, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

const load = async (store: CachingStore, value: string): Promise<Session> =>
  (await store.loadSession(value)) ?? expect.fail('no session')

describe('CachingStore', () => {
  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5'])('refuses maxAge %s', (maxAge) => {
    expect(() => caching(newMemory(), { maxAge: maxAge as number })).toThrow(TypeError)
  })

  test.each([0, -1, 1.5, Number.NaN, '5'])('refuses bounds of %s', (bound) => {
    for (const option of ['maxSessions', 'maxBytes']) {
      expect(() => caching(newMemory(), { [option]: bound })).toThrow(option)
    }
  })

  test('reads once from the store and then from the isolate, for maxAge seconds', async () => {
    const { here, loads } = world()
    const value = await issue(here, (session) => session.set('n', 1))
    for (let i = 0; i < 10; i++) {
      expect((await load(here, value)).get('n')).toBe(1)
      clock.advance(0.9)
    }
    expect(loads()).toBe(1)
    clock.advance(1)
    await load(here, value)
    expect(loads()).toBe(2)
  })

  test('what is done in another isolate is seen after maxAge, and not later', async () => {
    const { here, there } = world()
    const value = await issue(here, (session) => session.set('n', 1))
    await load(there, value)
    const session = await load(here, value)
    session.set('n', 2)
    await here.storeSession(session)
    expect((await load(there, value)).get('n')).toBe(1)
    clock.advance(10)
    expect((await load(there, value)).get('n')).toBe(2)
    await here.destroySession(await load(here, value))
    expect(await there.loadSession(value)).toBeDefined()
    clock.advance(10)
    expect(await there.loadSession(value)).toBeUndefined()
  })

  test('what is done in this isolate is seen at once', async () => {
    const { here } = world()
    const value = await issue(here, (session) => session.signIn('ada'))
    const session = await load(here, value)
    session.set('n', 2)
    await here.storeSession(session)
    expect((await load(here, value)).get('n')).toBe(2)
    const other = await issue(here, (s) => s.signIn('ada'))
    await load(here, other)
    await here.destroySessionsOf?.('ada', { except: other === value ? '' : session })
    expect(await here.loadSession(other)).toBeUndefined()
    await here.destroySessionById?.('ada', session.id ?? '')
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test('a write on what was cached loses nothing of what was written elsewhere', async () => {
    const { here, there } = world()
    const value = await issue(here, (session) => session.set('n', 0))
    await load(there, value)
    for (let i = 0; i < 5; i++) {
      const session = await load(here, value)
      session.update('n', (n) => Number(n) + 1)
      await here.storeSession(session)
    }
    const stale = await load(there, value)
    expect(stale.get('n')).toBe(0)
    stale.update('n', (n) => Number(n) + 1)
    await there.storeSession(stale)
    expect(stale.get('n')).toBe(6)
    expect((await load(there, value)).get('n')).toBe(6)
  })

  test('a write on what was cached does not bring back what has ended elsewhere', async () => {
    const { here, there } = world()
    const value = await issue(here)
    await load(there, value)
    await here.destroySession(await load(here, value))
    const stale = await load(there, value)
    stale.set('n', 1)
    await expect(there.storeSession(stale)).rejects.toMatchObject({ code: 'SESSION_GONE' })
    expect(await there.loadSession(value)).toBeUndefined()
  })

  test('a load that was under way does not hide a sign-out in the same isolate', async () => {
    const { backing, here } = world()
    const value = await issue(here)
    const session = await load(here, value)
    clock.advance(10)
    const slow = backing.stallNextAfter('loadSession')
    const loading = here.loadSession(value)
    await slow.reached
    await here.destroySession(session)
    slow.release()
    await loading
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test('a session that was stored and cached while everyone is signed out does not live on in the cache', async () => {
    const { backing, here } = world()
    await issue(here, (session) => session.signIn('ada'))
    const ending = backing.stallNext('destroySessionsOf')
    const signingOut = here.destroySessionsOf?.('ada')
    await ending.reached
    const late = await issue(here, (session) => session.signIn('ada'))
    await load(here, late)
    ending.release()
    await signingOut
    expect(await here.loadSession(late)).toBeUndefined()
  })

  test('a session that the cache has no room for is read from the store', async () => {
    const store = caching(newMemory(), { maxBytes: 600 })
    const value = await issue(store, (session) => session.set('n', 'x'.repeat(500)))
    expect((await load(store, value)).get('n')).toHaveLength(500)
    expect((await load(store, value)).get('n')).toHaveLength(500)
  })

  test('at maxSessions the first in is the first out', async () => {
    const backing = new FaultyStore(newMemory())
    const store = caching(backing, { maxSessions: 2 })
    const values = [await issue(store), await issue(store), await issue(store)]
    for (const value of values) await load(store, value)
    const loads = async (value: string): Promise<number> => {
      const before = backing.calls.length
      await load(store, value)
      return backing.calls.length - before
    }
    const [first = '', second = '', third = ''] = values
    expect([await loads(third), await loads(second), await loads(first)]).toEqual([0, 0, 1])
    expect([await loads(third), await loads(first), await loads(second)]).toEqual([0, 0, 1])
  })

  test('at maxBytes sessions go until there is room', async () => {
    const backing = new FaultyStore(newMemory())
    const store = caching(backing, { maxBytes: 100_000 })
    const values: string[] = []
    for (let i = 0; i < 50; i++) {
      values.push(await issue(store, (session) => session.set('n', 'x'.repeat(4000))))
      await load(store, values[i] ?? '')
    }
    const before = backing.calls.length
    for (const value of values.slice(-5)) await load(store, value)
    expect(backing.calls.length).toBe(before)
    await load(store, values[0] ?? '')
    expect(backing.calls.length).toBe(before + 1)
  })

  test('clearing it makes room', async () => {
    const backing = new FaultyStore(newMemory())
    const store = caching(backing, { maxBytes: 20_000 })
    const remembered = async (): Promise<boolean> => {
      const value = await issue(store, (session) => session.set('n', 'x'.repeat(4000)))
      await load(store, value)
      const before = backing.calls.length
      await load(store, value)
      return backing.calls.length === before
    }
    for (let round = 0; round < 9; round++) {
      expect(await remembered()).toBe(true)
      await store.clearStore()
    }
  })

  test('a visitor who writes at every request does not fill the cache', async () => {
    const { here } = world()
    const [value, other] = [await issue(here), await issue(here)]
    await load(here, other)
    for (let i = 0; i < 500; i++) {
      const session = await load(here, value)
      session.set('n', i)
      await here.storeSession(session)
    }
    expect((await load(here, value)).get('n')).toBe(499)
  })

  test('an expired session is none, cached or not', async () => {
    const { here } = world()
    const value = await issue(here, (session) => session.expireIn(5))
    await load(here, value)
    clock.advance(5)
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test('the store failing is an error, unless the answer is cached', async () => {
    const { backing, here } = world()
    const value = await issue(here)
    backing.failNext('loadSession')
    await expect(here.loadSession(value)).rejects.toThrow()
    await load(here, value)
    backing.failNext('loadSession')
    expect(await here.loadSession(value)).toBeDefined()
  })

  test('a clock that goes back makes what is remembered too old, not young for ever', async () => {
    const { here, there } = world()
    const value = await issue(there, (session) => session.set('n', 1))
    await load(here, value)
    const session = await load(there, value)
    session.set('n', 2)
    await there.storeSession(session)
    clock.advance(-3600)
    expect((await load(here, value)).get('n')).toBe(2)
  })

  test('a slow load counts from when it began', async () => {
    const { backing, here, there } = world()
    const value = await issue(there, (session) => session.set('n', 1))
    const slow = backing.stallNextAfter('loadSession')
    const loading = here.loadSession(value)
    await slow.reached
    const session = await load(there, value)
    session.set('n', 2)
    await there.storeSession(session)
    clock.advance(10)
    slow.release()
    await loading
    expect((await load(here, value)).get('n')).toBe(2)
  })

  type End = (store: CachingStore, session: Session) => Promise<unknown>
  const ENDS: [string, End][] = [
    ['destroySession', (store, session) => store.destroySession(session)],
    ['destroySessionById', async (store, s) => store.destroySessionById?.('ada', s.id ?? '')],
    ['destroySessionsOf', async (store) => store.destroySessionsOf?.('ada')],
    ['clearStore', (store) => store.clearStore()],
    [
      'a rotation',
      (store, session) => {
        session.regenerate()
        return store.storeSession(session)
      },
    ],
  ]

  test.each(ENDS)('what was loaded before %s is not remembered after it', async (_how, end) => {
    const { backing, here } = world()
    const value = await issue(here, (session) => session.signIn('ada'))
    const session = (await backing.loadSession(value)) ?? expect.fail()
    const slow = backing.stallNextAfter('loadSession')
    const loading = here.loadSession(value)
    await slow.reached
    await end(here, session)
    // Neither many others who come and write, nor time.
    for (let i = 0; i < 10_100; i++) {
      const other = await load(here, await issue(here))
      other.set('n', 1)
      await here.storeSession(other)
    }
    slow.release()
    await loading
    expect(await here.loadSession(value)).toBeUndefined()
  })

  test.each(ENDS)(
    'what is loaded while %s is under way is not remembered after it',
    async (how, end) => {
      const { backing, here } = world()
      const value = await issue(here, (session) => session.signIn('ada'))
      const session = (await backing.loadSession(value)) ?? expect.fail()
      const method = how === 'a rotation' ? 'storeSession' : how
      const stall = backing.stallNext(method as 'clearStore')
      const ending = end(here, session)
      await stall.reached
      await load(here, value)
      stall.release()
      await ending
      expect(await here.loadSession(value)).toBeUndefined()
    },
  )

  test('hands on what sessionsOf and destroySessionsOf are asked', async () => {
    const sessionsOf = vi.fn(async (..._asked: unknown[]) => [])
    const destroySessionsOf = vi.fn(async (..._asked: unknown[]) => 0)
    const store = caching({ ...bare(newMemory()), sessionsOf, destroySessionsOf })
    const options = { except: 'id', name: 'admin' }
    await Reflect.apply(store.sessionsOf ?? expect.fail(), store, ['ada', { name: 'admin' }])
    await store.destroySessionsOf?.('ada', options)
    expect(sessionsOf).toHaveBeenCalledExactlyOnceWith('ada', { name: 'admin' })
    expect(destroySessionsOf).toHaveBeenCalledExactlyOnceWith('ada', options)
  })

  test('S14 reloadSession goes past the cache, and so does the next load', async () => {
    const memory = newMemory()
    const backing = { ...bare(memory), reloadSession: vi.fn(async () => true) }
    const [here, there] = [caching(backing), caching(memory)]
    const value = await issue(here, (session) => session.set('n', 1))
    const mine = await load(here, value)
    const theirs = await load(there, value)
    theirs.set('n', 2)
    await there.storeSession(theirs)
    expect((await load(here, value)).get('n')).toBe(1)
    expect(await here.reloadSession?.(mine)).toBe(true)
    expect(backing.reloadSession).toHaveBeenCalledExactlyOnceWith(mine)
    expect((await load(here, value)).get('n')).toBe(2)
  })

  test('has of the optional methods those that the store behind has', () => {
    expect(caching(bare(newMemory())).reloadSession).toBeUndefined()
    expect(caching(bare(newMemory())).sessionsOf).toBeUndefined()
  })

  test('keeps plain values only', async () => {
    const { here } = world()
    const session = await load(here, await issue(here))
    await here.storeSession(session)
    const shared = globalThis as { [key: symbol]: Map<string, object> }
    const caches = shared[Symbol.for('isolate-session.caching-store')]
    expect(caches?.size).toBeGreaterThan(0)
    expect(JSON.stringify([...(caches?.values() ?? [])])).not.toContain('Promise')
    for (const cache of caches?.values() ?? []) {
      for (const value of Object.values(cache)) expect(value).not.toBeInstanceOf(Promise)
    }
  })
})

/** A store that has only what every store has. */
function bare(store: MemoryStore): SessionStore {
  return {
    loadSession: (value) => store.loadSession(value),
    storeSession: (session) => store.storeSession(session),
    destroySession: (session) => store.destroySession(session),
    clearStore: () => store.clearStore(),
  }
}

describe('T14 caches of different stores in one isolate', () => {
  const kv = (prefix: string): KVStore => new KVStore(env.KV, { prefix: `t14-${prefix}/` })
  const isAdmin = (session: Session): void => session.set('role', 'admin')

  test('never show a session of one at the other, whether read before or not', async () => {
    const [a, b] = [kv('a'), kv('b')].map((store) => new CachingStore(store, { maxAge: 60 }))
    if (!a || !b) throw new Error('two were made')
    const value = await issue(a, isAdmin)
    expect(await b.loadSession(value)).toBeUndefined()
    expect((await load(a, value)).get('role')).toBe('admin')
    expect(await b.loadSession(value)).toBeUndefined()
  })

  test('are not cleared together, nor with a MemoryStore', async () => {
    const memory = new MemoryStore({ name: 'both', warn: false })
    const inMemory = await issue(caching(memory))
    const [one, two] = [new FaultyStore(kv('one')), new FaultyStore(kv('two'))]
    const [first, second] = [one, two].map((store) => caching(store, { name: 'both' }))
    if (!first || !second) throw new Error('two were made')
    const value = await issue(second)
    await load(second, value)
    await first.clearStore()
    two.failNext('loadSession')
    expect(await second.loadSession(value)).toBeDefined()
    expect(await memory.loadSession(inMemory)).toBeDefined()
  })

  test('with equal tables in two databases are told apart by name', async () => {
    const [a, b] = ['a', 'b'].map((name) => caching(newMemory(), { name }))
    if (!a || !b) throw new Error('two were made')
    const value = await issue(a, isAdmin)
    await load(a, value)
    expect(await b.loadSession(value)).toBeUndefined()
  })

  test('one that is made for each request remembers what the last one has loaded', async () => {
    const behind = new FaultyStore(kv('again'))
    const value = await issue(new CachingStore(behind, { maxAge: 60 }))
    await load(new CachingStore(behind, { maxAge: 60 }), value)
    behind.failNext('loadSession')
    await load(new CachingStore(behind, { maxAge: 60 }), value)
    // And one with a shorter maxAge does not take it for younger than it is.
    clock.advance(5)
    await expect(new CachingStore(behind, { maxAge: 5 }).loadSession(value)).rejects.toThrow()
  })

  test('of every kind of store have a name of their own', () => {
    const redis = { call: async () => null }
    const names = [
      new D1Store(env.DB),
      new D1Store(env.DB, { table: 'other' }),
      new KVStore(env.KV),
      new KVStore(env.KV, { prefix: 'sessions' }),
      new DurableObjectStore(env.SESSIONS, { prefix: 'sessions' }),
      new RedisStore(redis),
      new RedisStore(redis, { prefix: 'sessions' }),
    ].map(({ cacheName }) => cacheName)
    expect(names.every((name) => typeof name === 'string')).toBe(true)
    expect(new Set(names).size).toBe(names.length)
  })

  test('a store that does not say which one it is needs a name', () => {
    class Own extends KeyedStore {
      read = async () => undefined
      insert = async () => true
      replace = async () => true
      remove = async () => true
      removeAll = async () => {}
    }
    for (const store of [bare(newMemory()), new Own()]) {
      expect(() => new CachingStore(store, { maxAge: 5 })).toThrow(/Pass a `name`/)
      expect(() => new CachingStore(store, { maxAge: 5, name: '' })).toThrow(TypeError)
      expect(() => new CachingStore(store, { maxAge: 5, name: 5 as never })).toThrow(TypeError)
      expect(() => new CachingStore(store, { maxAge: 5, name: 'own' })).not.toThrow()
    }
  })
})
