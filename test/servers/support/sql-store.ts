import { beforeAll, describe, expect, test } from 'vitest'
import { Session } from '../../../src/index.ts'
import type { SqlStore, SqlStoreOptions } from '../../../src/stores/shared/sql-store.ts'

interface Backend {
  makeStore(options?: SqlStoreOptions): SqlStore
  execute(sql: string): Promise<unknown[]>
  readonly longestTable: number
  readonly quote: '"' | '`'
  /** The statements that make `log` grow by a row whenever a row of `table` is inserted, updated or deleted. */
  triggers(table: string, log: string): string[]
}

const HOUR = 3600

/** Of all drivers together: they share a database. */
let tables = 0

/** The duties of stores with a table, beside the contract. */
export function sqlStoreTests({
  makeStore,
  execute,
  longestTable,
  quote: q,
  triggers,
}: Backend): void {
  const newTable = (): string => `sql_${process.pid}_${tables++}`
  const newStore = async (table = newTable()): Promise<SqlStore> => {
    const store = makeStore({ table })
    await store.migrate()
    await execute(`DELETE FROM ${q}${table}${q}`)
    return store
  }
  const issue = async (store: SqlStore, change?: (session: Session) => void): Promise<string> => {
    const session = new Session()
    change?.(session)
    return (await store.storeSession(session)) ?? expect.fail('no value')
  }

  test.each(['', 'a-b', 'a b', 'a"b', 'a`b', "a'; DROP TABLE x; --", '1a', 'é', 'a.b'])(
    'refuses the table name %j',
    (table) => {
      expect(() => makeStore({ table })).toThrow(TypeError)
    },
  )

  test('takes a name that means something to SQL, and one as long as can be', async () => {
    expect(() => makeStore({ table: 'x'.repeat(longestTable + 1) })).toThrow(TypeError)
    for (const table of ['order', 'x'.repeat(longestTable)]) {
      const store = await newStore(table)
      expect(await store.loadSession(await issue(store))).toBeDefined()
      await execute(`DROP TABLE ${q}${table}${q}`)
    }
  })

  test('migrate() can be called again, and keeps what is there', async () => {
    const store = await newStore()
    const value = await issue(store)
    await store.migrate()
    expect(await store.loadSession(value)).toBeDefined()
  })

  test('a table that is missing is told as that', async () => {
    const store = makeStore({ table: newTable() })
    for (const attempt of [
      () => issue(store),
      () => store.loadSession('A'.repeat(43)),
      () => store.count(),
      () => store.cleanup(),
    ]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('migrate()'),
        cause: expect.any(Error),
      })
    }
  })

  describe('a row', () => {
    let row: Record<string, unknown>
    let id: string | undefined
    const owner = 'Ada Löveläce 😀'

    beforeAll(async () => {
      const table = newTable()
      const store = await newStore(table)
      const value = await issue(store, (session) => {
        session.signIn(owner)
        session.set('text', 'naïve 😀 \0 \ud800')
        session.expireIn(HOUR)
      })
      const session = await store.loadSession(value)
      expect(session?.get('text')).toBe('naïve 😀 \0 \ud800')
      expect(session?.owner).toBe(owner)
      id = session?.id
      row = (await execute(`SELECT * FROM ${q}${table}${q}`))[0] as Record<string, unknown>
    })

    const text = (value: unknown): string =>
      value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)

    test('is as the documentation says', () => {
      expect(Object.keys(row).sort()).toEqual(['body', 'expiry', 'id', 'owner', 'version'])
      expect(text(row.id)).toBe(id)
      expect(text(row.owner)).toBe(owner)
      expect(text(row.version)).toMatch(/^[\w-]{16}\.\d+$/)
      expect(Math.abs(Number(row.expiry) - Date.now() - HOUR * 1000)).toBeLessThan(60_000)
      expect(JSON.parse(text(row.body))).toMatchObject({ v: 1, n: 'session' })
    })
  })

  test('owners and ids that differ in case, in accents or in trailing blanks are different', async () => {
    const store = await newStore()
    const owners = ['ada', 'Ada', 'ADA', 'àda', 'ada ', 'a\u0300da', '123', '0123']
    for (const owner of owners) await issue(store, (session) => session.signIn(owner))
    for (const owner of owners) expect(await store.sessionsOf(owner)).toHaveLength(1)
    const [summary] = await store.sessionsOf('ada')
    const swapped = (summary?.id ?? '').replace(/[a-z]/i, (letter) =>
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    )
    expect(await store.destroySessionById('ada', swapped)).toBe(false)
    expect(await store.destroySessionsOf('ADA')).toBe(1)
    expect(await store.count()).toBe(owners.length - 1)
  })

  test('an owner as long as can be', async () => {
    const store = await newStore()
    const owner = '😀'.repeat(63)
    await issue(store, (session) => session.signIn(owner))
    expect(await store.sessionsOf(owner)).toHaveLength(1)
  })

  test('cleanup() removes expired rows, no more than it is told, and no others', async () => {
    const table = newTable()
    const store = await newStore(table)
    for (let i = 0; i < 7; i++) await issue(store, (session) => session.expireIn(HOUR))
    await execute(`UPDATE ${q}${table}${q} SET expiry = 1000`)
    const lives = await issue(store, (session) => session.expireIn(HOUR))
    const forEver = await issue(store)
    expect(await store.count()).toBe(9)
    expect(await store.cleanup(5)).toBe(5)
    expect(await store.cleanup(5)).toBe(2)
    expect(await store.cleanup()).toBe(0)
    expect(await store.count()).toBe(2)
    expect(await store.loadSession(lives)).toBeDefined()
    expect(await store.loadSession(forEver)).toBeDefined()
    for (const limit of [0, -1, 1.5, Number.NaN, '1; DROP TABLE x' as unknown as number]) {
      await expect(store.cleanup(limit)).rejects.toThrow(TypeError)
    }
  })

  test('§3 a table with triggers that write elsewhere counts sessions, and not what the triggers did', async () => {
    const table = newTable()
    const store = await newStore(table)
    await execute(`CREATE TABLE ${q}${table}_log${q} (n INTEGER)`)
    for (const statement of triggers(table, `${table}_log`)) await execute(statement)
    const value = await issue(store, (session) => session.signIn('ada'))
    const session = (await store.loadSession(value)) ?? expect.fail()
    session.set('n', 1)
    await store.storeSession(session)
    session.regenerate()
    const rotated = (await store.storeSession(session)) ?? expect.fail()
    expect(await store.loadSession(value)).toBeUndefined()
    expect((await store.loadSession(rotated))?.get('n')).toBe(1)
    await issue(store, (other) => other.signIn('ada'))
    expect(await store.destroySessionsOf('ada')).toBe(2)
    for (let i = 0; i < 3; i++) await issue(store, (other) => other.expireIn(HOUR))
    await execute(`UPDATE ${q}${table}${q} SET expiry = 1000`)
    expect(await store.cleanup(1)).toBe(1)
    await store.cleanup()
    expect(await store.count()).toBe(0)
    expect((await execute(`SELECT * FROM ${q}${table}_log${q}`)).length).toBeGreaterThan(10)
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
    expect(await store.count()).toBe(2)
  })

  test('count() leaves out what a rotation has left of a session', async () => {
    const table = newTable()
    const store = await newStore(table)
    await issue(store)
    await issue(store)
    await execute(
      `UPDATE ${q}${table}${q} SET body = '', owner = NULL, version = 'dead' WHERE id = (SELECT id FROM (SELECT id FROM ${q}${table}${q} LIMIT 1) AS one)`,
    )
    expect(await store.count()).toBe(1)
  })

  test('T10 a body that is corrupt is no session', async () => {
    const table = newTable()
    const store = await newStore(table)
    const value = await issue(store)
    for (const body of ['', 'null', '[]', '{', '{"v":99}', 'text']) {
      await execute(`UPDATE ${q}${table}${q} SET body = '${body}'`)
      expect(await store.loadSession(value)).toBeUndefined()
    }
  })

  test('signing out more devices than a list takes', async () => {
    const store = await newStore()
    for (let i = 0; i < 120; i++) await issue(store, (session) => session.signIn('many'))
    expect(await store.destroySessionsOf('many')).toBe(120)
    expect(await store.sessionsOf('many')).toEqual([])
  })

  test('a write that was decided before the session expired, but comes after, is refused', async () => {
    const table = newTable()
    const store = await newStore(table)
    const value = await issue(store, (session) => session.expireIn(HOUR))
    const session = (await store.loadSession(value)) ?? expect.fail()
    await execute(`UPDATE ${q}${table}${q} SET expiry = 1000`)
    session.set('late', true)
    await expect(store.storeSession(session)).rejects.toMatchObject({ code: 'SESSION_GONE' })
  })
}
