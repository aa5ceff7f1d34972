import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type PgResult, type PostgresClient, PostgresStore } from '../../src/stores/postgres.ts'
import { storeContract } from '../../src/testing.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'
import { freePort } from './support/servers.ts'
import { sqlStoreTests } from './support/sql-store.ts'
import { separately } from './support/together.ts'

const pglitePort = await freePort()

/** The databases that speak PostgreSQL: the one that npm brings, and a server if there is one. */
const BACKENDS: Record<string, string | undefined> = {
  PGlite: `postgres://postgres:postgres@127.0.0.1:${pglitePort}/postgres?sslmode=disable`,
  PostgreSQL: inject('servers').postgres,
}

const closing: (() => Promise<unknown>)[] = []

let db: PGlite

beforeAll(async () => {
  db = await PGlite.create()
  const options = { db, port: pglitePort, host: '127.0.0.1', maxConnections: 20 }
  const server = new PGLiteSocketServer(options)
  await server.start()
  closing.push(async () => {
    await server.stop()
    await db.close()
  })
}, 60_000)

afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

interface Driver {
  open(url: string): Promise<{ client: PostgresClient; close: () => Promise<unknown> }>
}

const DRIVERS: Record<string, Driver> = {
  'postgres.js': {
    open: async (url) => {
      const sql = postgres(url, { max: 4, onnotice: () => {} })
      return { client: sql, close: () => sql.end() }
    },
  },
  'pg Client': {
    open: async (url) => {
      const client = new Client(url)
      client.on('error', () => {})
      await client.connect()
      return { client, close: () => client.end() }
    },
  },
  'pg Pool': {
    open: async (url) => {
      const pool = new Pool({ connectionString: url, max: 4 })
      pool.on('error', () => {})
      return { client: pool, close: () => pool.end() }
    },
  },
}

const WITHOUT_SERVER: Record<string, Driver> = {
  itself: { open: async () => ({ client: db, close: async () => {} }) },
}

for (const [backend, url] of Object.entries(BACKENDS)) {
  const drivers = backend === 'PGlite' ? { ...WITHOUT_SERVER, ...DRIVERS } : DRIVERS
  for (const [driver, { open }] of Object.entries(drivers)) {
    const title = `PostgresStore on ${backend} through ${driver}`
    describe.skipIf(url === undefined)(title, () => {
      let client: PostgresClient
      let tables = 0
      const newStore = async (): Promise<PostgresStore> => {
        const table = `t${process.pid}_${driver.replace(/\W/g, '')}_${tables++}`
        const store = new PostgresStore(client, { table })
        await store.migrate()
        return store
      }
      beforeAll(async () => {
        const opened = await open(url ?? '')
        client = opened.client
        closing.push(opened.close)
      })

      storeContract('contract', newStore, { test })
      httpStory('story', async () => {
        const app = storyApp({ store: await newStore() })
        return (path, init) => app.request(path, init)
      })
      sqlStoreTests({
        makeStore: (options) => new PostgresStore(client, options),
        longestTable: 56,
        execute: async (sql) => {
          const answer = await ('unsafe' in client ? client.unsafe(sql) : client.query(sql, []))
          return Array.isArray(answer) ? answer : (answer as PgResult).rows
        },
        quote: '"',
        triggers: (table, log) => [
          `CREATE FUNCTION ${log}_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO ${log} VALUES (1), (2); RETURN NULL; END $$`,
          `CREATE TRIGGER ${log} AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${log}_it()`,
        ],
      })

      test('reads with now(), so that Hyperdrive does not answer from its cache', async () => {
        const { watched, statements } = watch(client)
        await new PostgresStore(watched).loadSession('A'.repeat(43)).catch(() => {})
        expect(statements).toEqual([expect.stringMatching(/^SELECT .*, now\(\) FROM/)])
      })
    })
  }
}

/** The same client, whose statements are noted. */
function watch(client: PostgresClient): { watched: PostgresClient; statements: string[] } {
  const statements: string[] = []
  const note =
    <A extends unknown[], R>(method: (text: string, ...rest: A) => R) =>
    (text: string, ...rest: A): R => {
      statements.push(text)
      return method(text, ...rest)
    }
  const watched =
    'unsafe' in client
      ? { unsafe: note(client.unsafe.bind(client)) }
      : { query: note(client.query.bind(client)) }
  return { watched, statements }
}

test('a migration passes where another one has just made the type of the table', async () => {
  // With a table comes a type of its name. Of two migrations, one may see the other's type and not yet its table.
  await db.exec('CREATE DOMAIN "half_made" AS int')
  let tries = 0
  const client: PostgresClient = {
    query: async (text, values) => {
      if (text.startsWith('CREATE TABLE') && ++tries === 2) await db.exec('DROP DOMAIN "half_made"')
      return db.query(text, values)
    },
  }
  await new PostgresStore(client, { table: 'half_made' }).migrate()
  expect(tries).toBe(2)
})

describe.skipIf(BACKENDS.PostgreSQL === undefined)('PostgreSQL itself', () => {
  for (const [driver, { open }] of Object.entries(DRIVERS)) {
    separately(`PostgresStore through ${driver}`, async () => {
      const { client, close } = await open(BACKENDS.PostgreSQL ?? '')
      const table = `separately_${process.pid}`
      return { store: new PostgresStore(client, { table }), close }
    })
  }

  test('two migrations at once get along', async () => {
    const url = BACKENDS.PostgreSQL ?? ''
    const opened = await Promise.all(
      Array.from({ length: 8 }, () => DRIVERS['postgres.js']?.open(url) ?? expect.fail()),
    )
    const table = `at_once_${process.pid}`
    await Promise.all(opened.map(({ client }) => new PostgresStore(client, { table }).migrate()))
    await Promise.all(opened.map(({ close }) => close()))
  })

  test('every index of a table with the longest name is made', async () => {
    const { client, close } =
      (await DRIVERS['postgres.js']?.open(BACKENDS.PostgreSQL ?? '')) ?? expect.fail()
    const table = 'x'.repeat(56)
    await new PostgresStore(client, { table }).migrate()
    const sql = client as postgres.Sql
    const rows = await sql`SELECT indexname FROM pg_indexes WHERE tablename = ${table}`
    await sql.unsafe(`DROP TABLE "${table}"`)
    await close()
    expect(rows.map(({ indexname }) => indexname.slice(56)).sort()).toEqual([
      '_expiry',
      '_owner',
      '_pkey',
    ])
  })
})
