import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { Session } from '../../src/index.js'
import { type D1Client, D1Store } from '../../src/stores/d1.js'
import schema from '../../src/stores/d1.sql?raw'
import { storeContract } from '../../src/testing.js'
import { useClock } from '../support/clock.js'
import { httpStory } from '../support/http-story.js'
import { storyApp } from '../support/story-app.js'

let tables = 0

/** A store with a table of its own. */
async function newStore(db: D1Client = env.DB): Promise<D1Store> {
  const store = new D1Store(db, {
    table: `sessions_${tables++}_${crypto.randomUUID().slice(0, 8)}`,
  })
  await store.migrate()
  return store
}

storeContract('D1Store', newStore, { test })

httpStory('D1Store', async () => {
  const store = await newStore()
  const app = storyApp({ store })
  return (url, init) => app.request(url, init)
})

const clock = useClock()

async function issue(store: D1Store, change?: (session: Session) => void): Promise<string> {
  const session = new Session()
  change?.(session)
  return (await store.storeSession(session)) ?? expect.fail('no value')
}

/** Counts the statements that reach the database, and may spoil them. */
function watched(spoil: (sql: string) => void = () => {}): { db: D1Client; statements: string[] } {
  const statements: string[] = []
  const prepare = (sql: string) => {
    const wrap = (statement: D1PreparedStatement) => ({
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      first: () => run(() => statement.first()),
      all: () => run(() => statement.all()),
      run: () => run(() => statement.run()),
    })
    const run = async <T>(query: () => Promise<T>): Promise<T> => {
      statements.push(sql)
      spoil(sql)
      return query()
    }
    return wrap(env.DB.prepare(sql))
  }
  return { db: { prepare } as unknown as D1Client, statements }
}

describe('D1Store', () => {
  test.each(['', 'a-b', 'a b', 'a"b', "a'; DROP TABLE x; --", '1a', 'é', 'x'.repeat(64)])(
    'refuses the table name %j',
    (table) => {
      expect(() => new D1Store(env.DB, { table })).toThrow(TypeError)
    },
  )

  test('takes every other name, also one that means something to SQL', async () => {
    const store = new D1Store(env.DB, { table: 'order' })
    await store.migrate()
    expect(await store.loadSession(await issue(store))).toBeDefined()
  })

  test('migrate() can be called again, and the SQL file does the same', async () => {
    const store = await newStore()
    await store.migrate()
    const { db, statements } = watched()
    await new D1Store(db).migrate()
    const lines = schema.split('\n').filter((line) => line && !line.startsWith('--'))
    expect(lines).toEqual(statements.map((statement) => `${statement};`))
  })

  test('one verb is one statement', async () => {
    const { db, statements } = watched()
    const store = await newStore(db)
    const counted = async (act: () => Promise<unknown>): Promise<string[]> => {
      statements.length = 0
      await act()
      return statements.map((sql) => sql.slice(0, 6))
    }
    let value = ''
    expect(
      await counted(async () => {
        value = await issue(store)
      }),
    ).toEqual(['INSERT'])
    const session = (await store.loadSession(value)) ?? expect.fail()
    session.set('n', 1)
    expect(await counted(() => store.storeSession(session))).toEqual(['UPDATE'])
    expect(await counted(() => store.loadSession(value))).toEqual(['SELECT'])
    session.signIn('ada')
    expect(await counted(() => store.storeSession(session))).toEqual(['INSERT', 'UPDATE'])
    expect(await counted(() => store.destroySession(session))).toEqual(['DELETE'])
  })

  test('reads from the primary, so that a read sees the write before it', async () => {
    const withSession = vi.spyOn(env.DB, 'withSession')
    const store = await newStore()
    await store.loadSession(await issue(store))
    expect(withSession).toHaveBeenCalledWith('first-primary')
    withSession.mockRestore()
  })

  test('tries again when the database is overloaded, and not for ever', async () => {
    let failures = 2
    const { db } = watched((sql) => {
      if (sql.startsWith('SELECT') && failures-- > 0)
        throw new Error('D1_ERROR: D1 DB is overloaded. Too many requests queued.')
    })
    const store = await newStore(db)
    expect(await store.loadSession(await issue(store))).toBeDefined()
    failures = 99
    await expect(store.loadSession('A'.repeat(43))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(failures).toBe(96)
  })

  test('an error that another try does not mend is told at once', async () => {
    const store = new D1Store(env.DB, { table: 'nobody_made_this' })
    const error = await store.loadSession('A'.repeat(43)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'STORE_FAILED',
      cause: expect.objectContaining({ message: expect.stringContaining('no such table') }),
    })
  })

  test('two tables never see, count or clear each other’s sessions (T14)', async () => {
    const [one, two] = [await newStore(), await newStore()]
    const value = await issue(one, (session) => session.signIn('ada'))
    expect(await two.loadSession(value)).toBeUndefined()
    expect([await two.count(), await two.sessionsOf('ada')]).toEqual([0, []])
    await two.clearStore()
    expect(await one.loadSession(value)).toBeDefined()
  })

  test('cleanup() removes what has expired, a limited number at a time', async () => {
    const store = await newStore()
    for (let i = 0; i < 5; i++) await issue(store, (session) => session.expireIn(60))
    await issue(store)
    expect(await store.cleanup()).toBe(0)
    clock.advance(60)
    expect(await store.count()).toBe(6)
    expect(await store.cleanup(2)).toBe(2)
    expect(await store.cleanup()).toBe(3)
    expect(await store.count()).toBe(1)
  })

  test('D1Store.scheduled removes all that has expired', async () => {
    const table = `cron_${crypto.randomUUID().slice(0, 8)}`
    const store = new D1Store(env.DB, { table })
    await store.migrate()
    for (let i = 0; i < 3; i++) await issue(store, (session) => session.expireIn(60))
    clock.advance(60)
    await D1Store.scheduled((bindings: Cloudflare.Env) => bindings.DB, { table })(undefined, env)
    expect(await store.count()).toBe(0)
  })

  test('signing out 250 devices is three statements', async () => {
    const { db, statements } = watched()
    const store = await newStore(db)
    const values = await Promise.all(
      Array.from({ length: 250 }, () => issue(store, (session) => session.signIn('ada'))),
    )
    const kept = (await store.loadSession(values[7] ?? '')) ?? expect.fail()
    statements.length = 0
    expect(await store.destroySessionsOf('ada', { except: kept })).toBe(249)
    expect(statements.map((sql) => sql.slice(0, 6))).toEqual(['SELECT', 'DELETE', 'SELECT'])
    expect(await store.count()).toBe(1)
  })

  test('two hundred updates at once end at two hundred', async () => {
    vi.useRealTimers()
    const store = await newStore()
    const value = await issue(store)
    const add = async (): Promise<void> => {
      const session = (await store.loadSession(value)) ?? expect.fail('gone')
      session.update('n', (n) => Number(n ?? 0) + 1)
      await store.storeSession(session)
    }
    await Promise.all(Array.from({ length: 200 }, add))
    expect((await store.loadSession(value))?.get('n')).toBe(200)
  }, 60_000)
})
