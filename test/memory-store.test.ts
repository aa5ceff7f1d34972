import { describe, expect, test, vi } from 'vitest'
import { MemoryStore, type MemoryStoreOptions, Session, type SessionRecord } from '../src/index.ts'
import { partitionOf } from '../src/storage/memory-store.ts'
import { storeContract } from '../src/testing.ts'
import { useClock } from './support/clock.ts'
import { storyApp } from './support/story-app.ts'
import { watchWarnings } from './support/warnings.ts'

let names = 0
const named = (options: MemoryStoreOptions = {}): MemoryStore =>
  new MemoryStore({ name: `memory-${names++}`, ...options })

storeContract('MemoryStore', () => named(), { test })

const clock = useClock()

async function issue(store: MemoryStore, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

const isThere = async (store: MemoryStore, value: string): Promise<boolean> =>
  (await store.loadSession(value)) !== undefined

describe('Y1 stores in one isolate', () => {
  test('with one name hold the same sessions', async () => {
    const name = `shared-${names++}`
    const value = await issue(new MemoryStore({ name }))
    expect(await isThere(new MemoryStore({ name }), value)).toBe(true)
  })

  test('without a name, too', async () => {
    const value = await issue(new MemoryStore())
    const other = new MemoryStore()
    expect(await isThere(other, value)).toBe(true)
    await other.clearStore()
    expect(await isThere(new MemoryStore(), value)).toBe(false)
  })

  test('with another name see none of them, count none and clear none (T14)', async () => {
    const base = `a-${names++}`
    const [one, two] = [new MemoryStore({ name: base }), new MemoryStore({ name: `${base}2` })]
    const value = await issue(one, (session) => session.signIn('ada'))
    expect(await isThere(two, value)).toBe(false)
    expect(await two.count()).toBe(0)
    expect(await two.sessionsOf('ada')).toEqual([])
    await two.clearStore()
    expect(await isThere(one, value)).toBe(true)
  })

  test('share them in one Map on globalThis, which a second evaluation of the module finds', async () => {
    const store = named()
    const value = await issue(store)
    const parts = (globalThis as never)[Symbol.for('isolate-session.memory-store')]
    expect(parts).toBeInstanceOf(Map)
    vi.resetModules()
    const again = await import('../src/index.ts')
    expect(again.MemoryStore).not.toBe(MemoryStore)
    const reloaded = new again.MemoryStore({ name: `memory-${names - 1}` })
    expect(await reloaded.loadSession(value)).toBeDefined()
  })
})

describe('Y3 bounds', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null])(
    'of %s throw',
    (bound) => {
      expect(() => named({ maxSessions: bound as number })).toThrow(TypeError)
      expect(() => named({ maxBytes: bound as number })).toThrow(TypeError)
    },
  )

  test('at the limit the least recently used goes first', async () => {
    const store = named({ maxSessions: 3 })
    const [a, b, c] = [await issue(store), await issue(store), await issue(store)]
    await store.loadSession(a)
    const d = await issue(store)
    expect(await store.count()).toBe(3)
    const there = await Promise.all([a, b, c, d].map((value) => isThere(store, value)))
    expect(there).toEqual([true, false, true, true])
  })

  test('a write makes a session recently used', async () => {
    const store = named({ maxSessions: 2 })
    const a = await issue(store)
    const b = await issue(store)
    const session = (await store.loadSession(a)) ?? expect.fail()
    await store.loadSession(b)
    session.set('n', 1)
    await store.storeSession(session)
    await issue(store)
    expect([await isThere(store, a), await isThere(store, b)]).toEqual([true, false])
  })

  test.each([0, 40, 80, 120, 160])(
    'an expired one goes before any that lives, even as number %i of 200',
    async (at) => {
      const store = named({ maxSessions: 200 })
      const living: string[] = []
      for (let i = 0; i < 200; i++) {
        if (i === at) await issue(store, (session) => session.expireIn(60))
        else living.push(await issue(store))
      }
      clock.advance(60)
      living.push(await issue(store))
      expect(await store.count()).toBe(200)
      for (const value of living) expect(await isThere(store, value)).toBe(true)
    },
  )

  test('a hundred thousand visits leave no more than the bound', async () => {
    const store = named({ maxSessions: 1000 })
    const values: string[] = []
    for (let i = 0; i < 20_000; i++) values.push(await issue(store))
    expect(await store.count()).toBe(1000)
    expect(await isThere(store, values.at(-1000) ?? '')).toBe(true)
    expect(await isThere(store, values.at(-1001) ?? '')).toBe(false)
  })

  test('in bytes hold as well, also when a session grows', async () => {
    const store = named({ maxBytes: 10_000 })
    const values: string[] = []
    for (let i = 0; i < 50; i++) {
      values.push(await issue(store, (session) => session.set('x', 'y'.repeat(500))))
      expect(store.bytes).toBeLessThanOrEqual(10_000)
    }
    const last = values.at(-1) ?? ''
    const session = (await store.loadSession(last)) ?? expect.fail()
    session.set('x', 'y'.repeat(9000))
    await store.storeSession(session)
    expect(store.bytes).toBeLessThanOrEqual(10_000)
    expect(await store.count()).toBe(1)
    expect(await isThere(store, last)).toBe(true)
  })

  test('a session that alone is too large is refused, and nobody is put out for it', async () => {
    const store = named({ maxBytes: 5000 })
    const value = await issue(store)
    const huge = issue(store, (session) => session.set('x', 'y'.repeat(5000)))
    await expect(huge).rejects.toMatchObject({ code: 'SESSION_TOO_LARGE' })
    expect(await isThere(store, value)).toBe(true)
  })

  test('bytes come back to nothing, and count a fixed part for each session', async () => {
    const store = named()
    const values = [await issue(store), await issue(store, (session) => session.signIn('ada'))]
    const empty = store.bytes
    expect(empty).toBeGreaterThan(500)
    const session = (await store.loadSession(values[0] ?? '')) ?? expect.fail()
    session.set('latin', 'é'.repeat(100))
    await store.storeSession(session)
    const latin = store.bytes - empty
    session.set('latin', '€'.repeat(100))
    await store.storeSession(session)
    expect(store.bytes - empty).toBeGreaterThan(latin * 1.8)
    await store.destroySession(session)
    await store.destroySessionsOf('ada')
    expect([store.bytes, await store.count()]).toEqual([0, 0])
  })

  test('belong to the store made last', async () => {
    const name = `bounds-${names++}`
    const first = new MemoryStore({ name, maxSessions: 1 })
    new MemoryStore({ name, maxSessions: 5 })
    for (let i = 0; i < 9; i++) await issue(first)
    expect(await first.count()).toBe(5)
  })

  test('that are lowered keep the most recently used', async () => {
    const name = `lowered-${names++}`
    const store = new MemoryStore({ name })
    const values: string[] = []
    for (let i = 0; i < 9; i++) values.push(await issue(store))
    await store.loadSession(values[0] ?? '')
    new MemoryStore({ name, maxBytes: Math.ceil((store.bytes / 9) * 3) })
    const added = await issue(store)
    expect(await store.count()).toBe(3)
    for (const value of [values[0] ?? '', values[8] ?? '', added]) {
      expect(await isThere(store, value)).toBe(true)
    }
  })

  test('expired sessions are reclaimed without cleanup(), while others are read all the time', async () => {
    const store = named()
    const hot: string[] = []
    for (let i = 0; i < 30; i++) hot.push(await issue(store))
    for (let i = 0; i < 500; i++) await issue(store, (session) => session.expireIn(60))
    clock.advance(60)
    for (let i = 0; i < 100; i++) {
      await issue(store)
      for (const value of hot) await store.loadSession(value)
    }
    expect(await store.count()).toBe(130)
  })

  test('one that is asked for when it has expired is reclaimed at once', async () => {
    const store = named()
    const value = await issue(store, (session) => session.expireIn(60))
    clock.advance(60)
    expect(await isThere(store, value)).toBe(false)
    expect(store.bytes).toBe(0)
  })

  test('cleanup() says how many it removed', async () => {
    const store = named()
    for (let i = 0; i < 5; i++) await issue(store, (session) => session.expireIn(60))
    await issue(store)
    expect(await store.cleanup()).toBe(0)
    clock.advance(60)
    expect(await store.count()).toBe(6)
    expect(await store.cleanup()).toBe(5)
    expect(await store.count()).toBe(1)
  })
})

describe('Y3 at the limit', () => {
  const signIn = (session: Session): void => session.signIn('ada')
  const large = (session: Session): void => session.set('x', 'y'.repeat(65_000))

  test('strangers go before anybody who has signed in, however long ago', async () => {
    const store = named({ maxSessions: 3 })
    const ada = await issue(store, signIn)
    const strangers = [await issue(store), await issue(store)]
    const bob = await issue(store, (session) => session.signIn('bob'))
    const there = await Promise.all([ada, ...strangers, bob].map((value) => isThere(store, value)))
    expect(there).toEqual([true, false, true, true])
    await issue(store)
    expect(await isThere(store, ada)).toBe(true)
    expect(await isThere(store, strangers[1] ?? '')).toBe(false)
  })

  test('a flood of strangers signs nobody out', async () => {
    const store = named()
    const members: string[] = []
    for (let i = 0; i < 1000; i++) members.push(await issue(store, (s) => s.signIn(`user-${i}`)))
    for (let i = 0; i < 520; i++) await issue(store, large)
    expect(store.bytes).toBeLessThanOrEqual(33_554_432)
    for (const value of members) expect(await isThere(store, value)).toBe(true)
  })

  test('a flood of strangers signs nobody out either when only members are left', async () => {
    const store = named({ maxSessions: 10 })
    const members: string[] = []
    for (let i = 0; i < 10; i++) members.push(await issue(store, signIn))
    for (let i = 0; i < 20; i++) expect(await isThere(store, await issue(store))).toBe(false)
    for (const value of members) expect(await isThere(store, value)).toBe(true)
    expect(await store.count()).toBe(10)
  })

  test('in bytes neither, and neither does a stranger’s session that grows', async () => {
    const store = named({ maxBytes: 100_000 })
    const ada = await issue(store, signIn)
    const stranger = await issue(store)
    for (let i = 0; i < 49; i++) await issue(store, (s) => s.set('x', 'y'.repeat(500)))
    const members = [ada]
    for (let i = 0; i < 49; i++) members.push(await issue(store, signIn))
    const session = await store.loadSession(stranger)
    session?.set('x', 'y'.repeat(65_000))
    if (session) await store.storeSession(session)
    await issue(store, large)
    for (const value of members) expect(await isThere(store, value)).toBe(true)
  })

  test('of those who have signed in the least recently used goes for a new one', async () => {
    const store = named({ maxSessions: 2 })
    const [a, b] = [await issue(store, signIn), await issue(store, signIn)]
    await store.loadSession(a)
    const c = await issue(store, signIn)
    const there = await Promise.all([a, b, c].map((value) => isThere(store, value)))
    expect(there).toEqual([true, false, true])
  })

  test('somebody who signs in is no stranger from then on', async () => {
    const store = named({ maxSessions: 3 })
    const session = (await store.loadSession(await issue(store))) ?? expect.fail()
    session.signIn('ada')
    const value = (await store.storeSession(session)) ?? expect.fail()
    for (let i = 0; i < 9; i++) await issue(store)
    expect(await isThere(store, value)).toBe(true)
    expect(await store.sessionsOf('ada')).toHaveLength(1)
  })

  test('a member’s session that has expired goes before a stranger’s that lives', async () => {
    const store = named({ maxSessions: 2 })
    await issue(store, (session) => {
      session.signIn('ada')
      session.expireIn(60)
    })
    const stranger = await issue(store)
    clock.advance(60)
    await issue(store)
    expect(await isThere(store, stranger)).toBe(true)
  })
})

describe('O1 the index of owners', () => {
  const signInAndOut = async (store: MemoryStore, owner: string): Promise<void> => {
    const value = await issue(store, (session) => session.signIn(owner))
    const session = (await store.loadSession(value)) ?? expect.fail('not stored')
    await store.destroySession(session)
  }

  test('finds somebody who signed out and in again, however many others have signed out since', async () => {
    const store = named()
    await signInAndOut(store, 'ada')
    const value = await issue(store, (session) => session.signIn('ada'))
    for (let i = 0; i < 200; i++) await signInAndOut(store, `other-${i}`)
    expect(await store.sessionsOf('ada')).toHaveLength(1)
    expect(await store.destroySessionsOf('ada')).toBe(1)
    expect(await isThere(store, value)).toBe(false)
  })

  test('forgets who has left', async () => {
    const store = named()
    for (let i = 0; i < 1000; i++) await signInAndOut(store, `other-${i}`)
    const { owners, vacant } = partitionOf(store)
    expect(owners.size).toBeLessThan(100)
    expect(vacant.size).toBeLessThan(100)
  })
})

describe('Y3 a record without a body, as rotation leaves it under the old id,', () => {
  class Operations extends MemoryStore {
    override async insert(id: string, record: SessionRecord): Promise<boolean> {
      return super.insert(id, record)
    }
    override async replace(id: string, record: SessionRecord, version: string): Promise<boolean> {
      return super.replace(id, record, version)
    }
    override async recordsOf(owner: string): Promise<[id: string, record: SessionRecord][]> {
      return super.recordsOf(owner)
    }
  }
  const record = (version: string, owner: string | null, body = '{}'): SessionRecord => {
    return { version, owner, body, expiry: clock.now() + 60_000 }
  }

  async function rotated(maxSessions: number): Promise<Operations> {
    const store = new Operations({ name: `dead-${names++}`, maxSessions })
    await store.insert('old', record('1', 'ada'))
    expect(await store.replace('old', record('2', null, ''), '1')).toBe(true)
    return store
  }

  test('is not counted, and belongs to nobody', async () => {
    const store = await rotated(9)
    expect(await store.count()).toBe(0)
    expect(await store.recordsOf('ada')).toEqual([])
    await store.insert('new', record('3', 'ada'))
    expect(await store.count()).toBe(1)
  })

  test('goes before any session, however new it is', async () => {
    const store = new Operations({ name: `dead-${names++}`, maxSessions: 2 })
    await store.insert('stranger', record('1', null))
    await store.insert('old', record('2', null))
    await store.replace('old', record('3', null, ''), '2')
    await store.insert('new', record('4', null))
    expect(await store.count()).toBe(2)
    // Its id is free again.
    expect(await store.insert('old', record('5', null))).toBe(true)
  })

  test('is not in the number that cleanup() gives', async () => {
    const store = await rotated(9)
    await store.insert('new', record('3', null))
    clock.advance(60)
    expect(await store.cleanup()).toBe(1)
    expect(store.bytes).toBe(0)
  })
})

describe('Y4 between requests', () => {
  test('only plain values are kept', async () => {
    const name = `plain-${names++}`
    const store = new MemoryStore({ name })
    await issue(store, (session) => session.signIn('ada'))
    const parts = (globalThis as never)[Symbol.for('isolate-session.memory-store')] as Map<
      string,
      object
    >
    const seen = new Set<string>()
    const walk = (value: unknown): void => {
      seen.add(Object.prototype.toString.call(value))
      if (value instanceof Map) for (const entry of value) entry.forEach(walk)
      else if (value instanceof Set) value.forEach(walk)
      else if (typeof value === 'object' && value) Object.values(value).forEach(walk)
    }
    walk(parts.get(name))
    seen.delete('[object Map Iterator]')
    expect([...seen].sort()).toEqual(
      [
        '[object Map]',
        '[object Null]',
        '[object Number]',
        '[object Object]',
        '[object Set]',
        '[object String]',
        '[object Undefined]',
      ].sort(),
    )
  })

  test('no timer is set', async () => {
    const timeout = vi.spyOn(globalThis, 'setTimeout')
    const interval = vi.spyOn(globalThis, 'setInterval')
    const store = named()
    await store.loadSession(await issue(store, (session) => session.expireIn(60)))
    expect(timeout).not.toHaveBeenCalled()
    expect(interval).not.toHaveBeenCalled()
    timeout.mockRestore()
    interval.mockRestore()
  })
})

describe('Y2 Y5 the production warning', () => {
  async function warnings(url: string, options: MemoryStoreOptions = {}): Promise<string[]> {
    const warn = watchWarnings()
    for (let i = 0; i < 3; i++) {
      const app = storyApp({ store: named(options) })
      await app.request(url, { method: 'POST' })
    }
    return warn.mock.calls.map(([message]) => String(message))
  }

  test('is given once per isolate over https, and says what is lost', async () => {
    const said = await warnings('https://shop.example/count')
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/this isolate only.*Other isolates.*evicted/)
  })

  test.each(['http://localhost:8787/count', 'https://localhost/count', 'https://127.0.0.1/count'])(
    'is not given for %s',
    async (url) => {
      expect(await warnings(url)).toEqual([])
    },
  )

  test('is not given with warn: false', async () => {
    expect(await warnings('https://shop.example/count', { warn: false })).toEqual([])
  })
})
