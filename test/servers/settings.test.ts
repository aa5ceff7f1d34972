// Servers that are set up in another way than usual, and what stands between them and the store.
import mysql from 'mysql2/promise'
import { Client } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Session } from '../../src/index.ts'
import { MySQLStore } from '../../src/stores/mysql.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { storeContract } from '../../src/testing.ts'
import { hasPgBouncer, startPgBouncer } from './support/pgbouncer.ts'
import { separately } from './support/together.ts'

const servers = inject('servers')
const urls = { postgres: servers.postgres ?? '', mysql: servers.mysql ?? '' }
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const connect = async (url: string): Promise<Client> => {
  const client = new Client(url)
  client.on('error', () => {})
  await client.connect()
  return client
}

let tables = 0
const newTable = (): string => `set_${process.pid}_${tables++}`

describe.skipIf(urls.postgres === '' || !hasPgBouncer)('PgBouncer in transaction mode', () => {
  let url = ''
  beforeAll(async () => {
    const bouncer = await startPgBouncer(urls.postgres)
    closing.push(bouncer.close)
    url = bouncer.url
  })

  separately('T7 PostgresStore through pg', async () => {
    const client = await connect(url)
    const store = new PostgresStore(client, { table: 'bounced' })
    return { store, close: () => client.end() }
  })
  separately('T7 PostgresStore through postgres.js with prepare: false', async () => {
    const sql = postgres(url, { max: 1, prepare: false, onnotice: () => {} })
    return { store: new PostgresStore(sql, { table: 'bounced' }), close: () => sql.end() }
  })
})

describe.skipIf(urls.postgres === '')('PostgreSQL at SERIALIZABLE', () => {
  const connection = { default_transaction_isolation: 'serializable' } as const
  separately('T7 PostgresStore through pg', async () => {
    const options = encodeURIComponent('-c default_transaction_isolation=serializable')
    const client = await connect(`${urls.postgres}?options=${options}`)
    return { store: new PostgresStore(client, { table: 'serial' }), close: () => client.end() }
  })
  separately('T7 PostgresStore through postgres.js', async () => {
    const sql = postgres(urls.postgres, { max: 1, connection, onnotice: () => {} })
    return { store: new PostgresStore(sql, { table: 'serial' }), close: () => sql.end() }
  })
})

/** A connection for which the server behaves as the statements say. */
async function connectionWith(...statements: string[]): Promise<mysql.Connection> {
  const connection = await mysql.createConnection(urls.mysql)
  for (const statement of statements) await connection.query(statement)
  return connection
}

describe.skipIf(urls.mysql === '')('MariaDB', () => {
  for (const level of ['SERIALIZABLE', 'REPEATABLE READ']) {
    separately(`T7 MySQLStore at ${level} with innodb_snapshot_isolation`, async () => {
      const connection = await connectionWith(
        `SET SESSION TRANSACTION ISOLATION LEVEL ${level}`,
        'SET innodb_snapshot_isolation = ON',
      )
      return {
        store: new MySQLStore(connection, { table: 'snapshots' }),
        close: () => connection.end(),
      }
    })
  }

  describe.each([
    ['sql_safe_updates', 'SET sql_safe_updates = ON'],
    ['sql_mode = ORACLE', `SET sql_mode = 'ORACLE'`],
    ['sql_mode = ANSI', `SET sql_mode = 'ANSI'`],
    ['NO_BACKSLASH_ESCAPES', `SET sql_mode = 'NO_BACKSLASH_ESCAPES'`],
    ['NO_ZERO_DATE and strict modes', `SET sql_mode = 'TRADITIONAL,IGNORE_SPACE'`],
  ])('with %s', (name, statement) => {
    let connection: mysql.Connection
    const newStore = async (): Promise<MySQLStore> => {
      const store = new MySQLStore(connection, { table: newTable() })
      await store.migrate()
      return store
    }
    beforeAll(async () => {
      connection = await connectionWith(statement)
      closing.push(() => connection.end())
    })
    storeContract(`MySQLStore with ${name}`, newStore, { test })

    test('counts and cleans up', async () => {
      const store = await newStore()
      for (let i = 0; i < 3; i++) {
        const session = new Session()
        session.expireIn(0.001)
        await store.storeSession(session)
      }
      expect(await store.count()).toBe(3)
      await expect.poll(() => store.cleanup(2)).toBe(2)
      await store.clearStore()
      expect(await store.count()).toBe(0)
    })
  })
})

/** The table as the first edition created it. */
const FIRST = {
  postgres: (table: string) =>
    `CREATE TABLE ${table} (id text COLLATE "C" PRIMARY KEY, version text NOT NULL, expiry bigint, owner text COLLATE "C", body text NOT NULL)`,
  mysql: (table: string) =>
    `CREATE TABLE ${table} (id VARBINARY(43) PRIMARY KEY, version VARBINARY(43) NOT NULL, expiry BIGINT, owner VARBINARY(255), body LONGTEXT NOT NULL, INDEX expiry (expiry), INDEX owner (owner)) ENGINE = InnoDB CHARACTER SET utf8mb4`,
}

const PASSWORD = 'one-for-this-test'

describe.skipIf(urls.postgres === '')('a PostgreSQL role without CREATE', () => {
  let admin: Client
  let client: Client
  const role = `limited_${process.pid}`
  beforeAll(async () => {
    admin = await connect(urls.postgres)
    closing.push(() => admin.end())
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`)
    const limited = Object.assign(new URL(urls.postgres), { username: role, password: PASSWORD })
    client = await connect(limited.href)
    closing.push(() => client.end())
  })

  test('migrate() is fine with a table that is there', async () => {
    const table = newTable()
    await admin.query(FIRST.postgres(table))
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}`)
    const store = new PostgresStore(client, { table })
    await store.migrate()
    const value = (await store.storeSession(new Session())) ?? expect.fail()
    expect(await store.loadSession(value)).toBeDefined()
  })

  test('migrate() says what to do about one that is not, or is not granted', async () => {
    const told = {
      code: 'STORE_FAILED',
      message: expect.stringContaining('GRANT'),
      cause: expect.objectContaining({ code: '42501' }),
    }
    const store = new PostgresStore(client, { table: newTable() })
    await expect(store.migrate()).rejects.toMatchObject(told)
    const table = newTable()
    await admin.query(FIRST.postgres(table))
    const denied = new PostgresStore(client, { table })
    await expect(denied.migrate()).rejects.toMatchObject(told)
    await expect(denied.loadSession('A'.repeat(43))).rejects.toMatchObject(told)
  })
})

describe.skipIf(urls.mysql === '')('a MySQL user without CREATE', () => {
  let admin: mysql.Connection
  let client: mysql.Connection
  const user = `'limited_${process.pid}'@'127.0.0.1'`
  beforeAll(async () => {
    admin = await mysql.createConnection(urls.mysql)
    closing.push(() => admin.end())
    await admin.query(`CREATE USER ${user} IDENTIFIED BY '${PASSWORD}'`)
    const table = newTable()
    await admin.query(FIRST.mysql(table))
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${user}`)
    const login = { username: `limited_${process.pid}`, password: PASSWORD }
    client = await mysql.createConnection(Object.assign(new URL(urls.mysql), login).href)
    closing.push(() => client.end())
  })

  test('migrate() is fine with a table that is there', async () => {
    const store = new MySQLStore(client, { table: `set_${process.pid}_${tables - 1}` })
    await store.migrate()
    const value = (await store.storeSession(new Session())) ?? expect.fail()
    expect(await store.loadSession(value)).toBeDefined()
  })

  test('migrate() says what to do about one that is not', async () => {
    const store = new MySQLStore(client, { table: newTable() })
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('GRANT'),
      cause: expect.objectContaining({ errno: 1142 }),
    })
  })
})

describe('the table of the first edition', () => {
  test.skipIf(urls.postgres === '').each(['postgres'])('goes on working in %s', async () => {
    const client = await connect(urls.postgres)
    closing.push(() => client.end())
    const table = newTable()
    await client.query(FIRST.postgres(table))
    await lives(new PostgresStore(client, { table }))
  })
  test.skipIf(urls.mysql === '').each(['mysql'])('goes on working in %s', async () => {
    const connection = await mysql.createConnection(urls.mysql)
    closing.push(() => connection.end())
    const table = newTable()
    await connection.query(FIRST.mysql(table))
    await lives(new MySQLStore(connection, { table }))
  })

  async function lives(store: PostgresStore | MySQLStore): Promise<void> {
    await store.migrate()
    const session = new Session()
    session.signIn('ada')
    const value = (await store.storeSession(session)) ?? expect.fail()
    expect((await store.loadSession(value))?.owner).toBe('ada')
    expect(await store.destroySessionsOf('ada')).toBe(1)
  }
})

test.skipIf(urls.mysql === '')(
  'T5 a unique value of the user’s own is not taken for a taken id',
  async () => {
    const connection = await mysql.createConnection(urls.mysql)
    closing.push(() => connection.end())
    const table = newTable()
    const store = new MySQLStore(connection, { table })
    await store.migrate()
    await connection.query(`CREATE UNIQUE INDEX one_each ON ${table} (owner)`)
    const signIn = async (): Promise<unknown> => {
      const session = new Session()
      session.signIn('ada')
      return store.storeSession(session)
    }
    await signIn()
    await expect(signIn()).rejects.toMatchObject({ cause: { errno: 1062 } })
  },
)
