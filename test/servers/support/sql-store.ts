import { beforeAll, describe, expect, test } from 'vitest'
import { Session } from '../../../src/index.js'
import type { SqlStore, SqlStoreOptions } from '../../../src/sql-store.js'

interface Backend {
  makeStore(options?: SqlStoreOptions): SqlStore
  execute(sql: string): Promise<unknown[]>
  readonly longestTable: number
  readonly quote: '"' | '`'
}

const HOUR = 3600

/** What the stores with a table have to do beside the contract. */
export function sqlStoreTests({ makeStore, execute, longestTable, quote: q }: Backend): void {
  let tables = 0
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
      expect(text(row.version)).toMatch(/^[\w-]{16}$/)
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
