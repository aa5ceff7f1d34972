import { env } from 'cloudflare:workers'
import { describe, expect, test, vi } from 'vitest'
import { Session } from '../../src/index.ts'
import schema from '../../src/stores/d1.sql?raw'
import { type D1Answer, type D1Client, type D1Statement, D1Store } from '../../src/stores/d1.ts'
import { storeContract } from '../../src/testing.ts'
import { useClock } from '../support/clock.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'

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

/** A table whose triggers write elsewhere, before and after: D1 counts what they change as well. */
async function withTriggers(): Promise<D1Store> {
  const table = `audited_${crypto.randomUUID().slice(0, 8)}`
  const store = new D1Store(env.DB, { table })
  await store.migrate()
  await env.DB.exec(`CREATE TABLE ${table}_log (n INTEGER)`)
  for (const when of ['BEFORE', 'AFTER']) {
    for (const event of ['INSERT', 'UPDATE', 'DELETE']) {
      await env.DB.exec(
        `CREATE TRIGGER ${table}_${when}_${event} ${when} ${event} ON ${table} BEGIN INSERT INTO ${table}_log VALUES (1), (2); END`,
      )
    }
  }
  return store
}

storeContract('D1Store with triggers', withTriggers, { test })

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

  test('one operation is one statement', async () => {
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

  test('§3 triggers change none of the numbers', async () => {
    const store = await withTriggers()
    for (let i = 0; i < 3; i++) await issue(store, (session) => session.signIn('ada'))
    expect(await store.destroySessionsOf('ada')).toBe(3)
    for (let i = 0; i < 3; i++) await issue(store, (session) => session.expireIn(60))
    clock.advance(60)
    expect([await store.cleanup(2), await store.cleanup(), await store.count()]).toEqual([2, 1, 0])
  })

  test('T15 a session may last as long as a Date goes, and is not cleaned up', async () => {
    const store = await newStore()
    for (const year of ['9999-12-31', '+275760-09-13']) {
      const value = await issue(store, (session) => session.setExpiry(new Date(year)))
      const session = (await store.loadSession(value)) ?? expect.fail()
      expect(session.expiry).toEqual(new Date(year))
      session.set('n', 1)
      await store.storeSession(session)
      expect((await store.loadSession(value))?.get('n')).toBe(1)
    }
    expect(await store.cleanup()).toBe(0)
  })

  test('count() leaves out what a rotation has left of a session', async () => {
    const table = `dead_${crypto.randomUUID().slice(0, 8)}`
    const store = new D1Store(env.DB, { table })
    await store.migrate()
    for (let i = 0; i < 2; i++) await issue(store)
    await env.DB.exec(
      `UPDATE ${table} SET body = '', owner = NULL WHERE id = (SELECT id FROM ${table} LIMIT 1)`,
    )
    expect(await store.count()).toBe(1)
  })

  test('the table of the first edition goes on working', async () => {
    const table = `first_${crypto.randomUUID().slice(0, 8)}`
    await env.DB.exec(
      `CREATE TABLE ${table} (id TEXT PRIMARY KEY, version TEXT NOT NULL, expiry INTEGER, owner TEXT, body TEXT NOT NULL) WITHOUT ROWID`,
    )
    const store = new D1Store(env.DB, { table })
    await store.migrate()
    const value = await issue(store, (session) => session.signIn('ada'))
    expect((await store.loadSession(value))?.owner).toBe('ada')
    expect(await store.destroySessionsOf('ada')).toBe(1)
  })

  test.each(['null', '[]', '{', '{"v":99}', 'text', ''])(
    'T10 a body that is %j is no session',
    async (body) => {
      const table = `corrupt_${crypto.randomUUID().slice(0, 8)}`
      const store = new D1Store(env.DB, { table })
      await store.migrate()
      const value = await issue(store, (session) => session.expireIn(60))
      await env.DB.prepare(`UPDATE ${table} SET body = ?`).bind(body).run()
      expect(await store.loadSession(value)).toBeUndefined()
    },
  )

  test('T10 an expiry that is no number is no session', async () => {
    const table = `soon_${crypto.randomUUID().slice(0, 8)}`
    const store = new D1Store(env.DB, { table })
    await store.migrate()
    const value = await issue(store, (session) => session.expireIn(60))
    await env.DB.exec(`UPDATE ${table} SET expiry = 'soon'`)
    expect(await store.loadSession(value)).toBeUndefined()
  })

  const rename = (row: unknown): object =>
    Object.fromEntries(Object.entries(Object(row)).map(([name, value]) => [`x_${name}`, value]))
  test.each<[string, (answer: D1Answer) => unknown]>([
    ['renamed columns', (answer) => ({ ...answer, results: answer.results.map(rename) })],
    [
      'rows as arrays',
      (answer) => ({ ...answer, results: answer.results.map((row) => Object.values(Object(row))) }),
    ],
    ['the rows alone', ({ results }) => results],
    ['nothing', () => undefined],
    ['no rows', ({ meta }) => ({ meta })],
  ])('T10 a database that answers with %s is STORE_FAILED', async (_what, change) => {
    const table = `odd_${crypto.randomUUID().slice(0, 8)}`
    const store = new D1Store(env.DB, { table })
    await store.migrate()
    const value = await issue(store, (session) => session.signIn('ada'))
    const wrap = (statement: D1Statement): D1Statement => ({
      bind: (...values) => wrap(statement.bind(...values)),
      all: async () => change(await statement.all()) as D1Answer,
      run: async () => change(await statement.run()) as D1Answer,
    })
    const odd = new D1Store({ prepare: (sql) => wrap(env.DB.prepare(sql)) }, { table })
    const told = {
      code: 'STORE_FAILED',
      message: expect.stringContaining('Remove its options that change results'),
    }
    await expect(odd.loadSession(value)).rejects.toMatchObject(told)
    await expect(odd.sessionsOf('ada')).rejects.toMatchObject(told)
    await expect(odd.count()).rejects.toMatchObject(told)
  })

  test.each([undefined, '1', Number.NaN])(
    'T10 changes counted by %j are STORE_FAILED',
    async (changes) => {
      const { table } = { table: `odd_${crypto.randomUUID().slice(0, 8)}` }
      await new D1Store(env.DB, { table }).migrate()
      const wrap = (statement: D1Statement): D1Statement => ({
        bind: (...values) => wrap(statement.bind(...values)),
        all: () => statement.all(),
        run: async () => ({ ...(await statement.run()), meta: { changes: changes as number } }),
      })
      const odd = new D1Store({ prepare: (sql) => wrap(env.DB.prepare(sql)) }, { table })
      await expect(issue(odd)).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await expect(odd.clearStore()).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await expect(odd.cleanup()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    },
  )

  test.each<[string, unknown, RegExp]>([
    ['a missing binding', undefined, /env\.DB`.*`d1_databases`.*wrangler dev` again/],
    ['a missing binding', null, /env\.DB`/],
    ['a promise', Promise.resolve(env.DB), /await it first/],
    ['the SQL storage of an object', { exec: () => {} }, /isolate-session\/sql/],
    ['a SQLite of Node’s', { exec: () => {}, prepare: () => {} }, /isolate-session\/sql/],
    ['a libSQL client', { execute: () => {}, batch: () => {} }, /isolate-session\/sql/],
    ['a KVNamespace', env.KV, /takes a D1Database/],
    ['a name', 'DB', /a string instead of a binding/],
  ])('T10 %s is refused when the store is made', (_what, db, message) => {
    expect(() => new D1Store(db as D1Client)).toThrow(TypeError)
    expect(() => new D1Store(db as D1Client)).toThrow(message)
  })

  test('takes a session of D1’s', async () => {
    const table = `session_${crypto.randomUUID().slice(0, 8)}`
    const store = new D1Store(env.DB.withSession() as unknown as D1Client, { table })
    await store.migrate()
    expect(await store.loadSession(await issue(store))).toBeDefined()
  })

  test.each([
    'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
    'D1_ERROR: Network connection lost.',
    'D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.',
    'D1_ERROR: D1 DB reset because its code was updated.',
    'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
  ])('tries again after %j', async (message) => {
    let failures = 1
    const { db } = watched((sql) => {
      if (sql.startsWith('SELECT') && failures-- > 0) throw new Error(message)
    })
    const store = await newStore(db)
    expect(await store.loadSession(await issue(store))).toBeDefined()
  })

  test('a table that is missing is told with the command that applies migrations', async () => {
    const store = new D1Store(env.DB, { table: 'nobody_made_this' })
    await expect(store.count()).rejects.toMatchObject({
      message: expect.stringMatching(
        /migrate\(\).*wrangler d1 migrations apply NAME --local.*--remote/,
      ),
    })
  })

  test('S13 an error of a constraint of the user’s own shows nothing of the session', async () => {
    const table = `strict_${crypto.randomUUID().slice(0, 8)}`
    const store = new D1Store(env.DB, { table })
    await store.migrate()
    await env.DB.exec(
      `CREATE TRIGGER ${table}_t BEFORE INSERT ON ${table} BEGIN SELECT CASE WHEN NEW.owner IS NOT NULL THEN RAISE(ABORT, 'nobody signs in') END; END`,
    )
    const failing = async (change: (session: Session) => void): Promise<Error> =>
      issue(store, change).then(
        () => expect.fail(),
        (error: Error) => error,
      )
    const error = await failing((session) => session.signIn('adalovelace'))
    expect(error).toMatchObject({ code: 'STORE_FAILED', cause: expect.any(Error) })
    expect(
      `${error.cause} ${(error.cause as Error).stack} ${(error.cause as Error).cause}`,
    ).toContain('nobody signs in')
    const { db } = watched((sql) => {
      if (sql.startsWith('INSERT')) {
        throw Object.assign(new Error('bad "adalovelace"'), { cause: new Error('adalovelace') })
      }
    })
    const told = await issue(await newStore(db), (session) => session.signIn('adalovelace')).catch(
      (thrown: Error) => thrown,
    )
    const cause = (told as Error).cause as Error
    expect(`${cause.message} ${cause.stack} ${cause.cause}`).not.toContain('adalovelace')
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

  test('O1 signing out 250 devices is two statements', async () => {
    const { db, statements } = watched()
    const store = await newStore(db)
    const values = await Promise.all(
      Array.from({ length: 250 }, () => issue(store, (session) => session.signIn('ada'))),
    )
    const kept = (await store.loadSession(values[7] ?? '')) ?? expect.fail()
    statements.length = 0
    expect(await store.destroySessionsOf('ada', { except: kept })).toBe(249)
    expect(statements.map((sql) => sql.slice(0, 6))).toEqual(['DELETE', 'SELECT'])
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
