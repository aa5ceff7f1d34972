// Clients whose options change what they return, or that are no clients of ours: they work or say so, and never mean "no session".
import { neon } from '@neondatabase/serverless'
import { type Collection, MongoClient, type MongoClientOptions } from 'mongodb'
import mysqlCallbacks from 'mysql2'
import mysql from 'mysql2/promise'
import { Client, types } from 'pg'
import postgres from 'postgres'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { Session } from '../../src/index.ts'
import { MongoDBStore } from '../../src/stores/mongodb.ts'
import { MySQLStore } from '../../src/stores/mysql.ts'
import { type PgResult, PostgresStore } from '../../src/stores/postgres.ts'
import { type AnyStore, CLIENTS } from './support/clients.ts'
import { startMongoDBDouble } from './support/mongodb-double.ts'

const servers = inject('servers')
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

/** The whole life of a session with this client. */
async function works(store: AnyStore): Promise<void> {
  await store.migrate?.()
  await store.clearStore()
  const session = new Session()
  session.signIn('ada')
  session.set('text', 'naïve 😀')
  session.expireIn(3600)
  const value = (await store.storeSession(session)) ?? expect.fail()
  const loaded = (await store.loadSession(value)) ?? expect.fail('no session')
  expect(loaded.owner).toBe('ada')
  expect(loaded.expiry).toEqual(session.expiry)
  loaded.set('n', 1)
  await store.storeSession(loaded)
  expect((await store.loadSession(value))?.get('n')).toBe(1)
  loaded.regenerate()
  await store.storeSession(loaded)
  expect(await store.loadSession(value)).toBeUndefined()
  expect(await store.sessionsOf?.('ada')).toHaveLength(1)
  expect(await store.count()).toBe(1)
  expect(await store.destroySessionsOf?.('ada')).toBe(1)
  expect(await store.count()).toBe(0)
}

const notUnderstood = {
  code: 'STORE_FAILED',
  message: expect.stringContaining('Remove its options that change results'),
}

const url = { postgres: servers.postgres ?? '', mysql: servers.mysql ?? '' }

/** A session that is there, for clients that cannot read it. */
async function issued(kind: 'postgres' | 'mysql'): Promise<string> {
  const { store, close } =
    (await CLIENTS[kind === 'postgres' ? 'pg' : 'mysql2']?.open(url[kind])) ?? expect.fail()
  await store.migrate?.()
  const session = new Session()
  session.signIn('grace')
  const value = await store.storeSession(session)
  await close()
  return value ?? expect.fail()
}

describe.skipIf(url.postgres === '')('T10 PostgreSQL', () => {
  const open = (options: object): postgres.Sql => {
    const sql = postgres(url.postgres, { max: 1, onnotice: () => {}, ...options })
    closing.push(() => sql.end())
    return sql
  }
  const connected = async (options: object = {}): Promise<Client> => {
    const client = new Client({ connectionString: url.postgres, ...options })
    await client.connect()
    closing.push(() => client.end())
    return client
  }
  const parsing = (oid: number, parse: (text: string) => unknown): object => ({
    types: {
      getTypeParser: (id: number, format: never) =>
        id === oid ? parse : types.getTypeParser(id, format),
    },
  })
  const INT8 = 20
  const TEXT = 25

  test.each(
    Object.entries({
      'transform: postgres.pascal': { transform: postgres.pascal },
      'transform: postgres.camel': { transform: postgres.camel },
      'transform: postgres.kebab': { transform: postgres.kebab },
      'renamed columns': { transform: { column: { from: (name: string) => `x_${name}` } } },
      'null for undefined': { transform: { undefined: null } },
      bigint: { types: { bigint: postgres.BigInt } },
      'prepare: false': { prepare: false },
    }),
  )('works with postgres.js and %s', async (name, options) => {
    await works(new PostgresStore(open(options), { table: `opt_${name.replace(/\W/g, '_')}` }))
  })

  test.each(
    Object.entries({
      'values it transforms': { transform: { value: { from: (v: unknown) => [v] } } },
      'rows it transforms': { transform: { row: { from: (row: unknown) => ({ row }) } } },
    }),
  )('postgres.js with %s is STORE_FAILED', async (_name, options) => {
    const value = await issued('postgres')
    const store = new PostgresStore(open(options))
    await expect(store.loadSession(value)).rejects.toMatchObject(notUnderstood)
    await expect(store.sessionsOf('grace')).rejects.toMatchObject(notUnderstood)
    await expect(store.count()).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test.each(
    Object.entries({
      BigInt: parsing(INT8, BigInt),
      Number: parsing(INT8, Number),
    }),
  )('works with pg and %s for integers', async (name, options) => {
    await works(new PostgresStore(await connected(options), { table: `opt_pg_${name}` }))
  })

  test.each(
    Object.entries({
      'bytes for text': parsing(TEXT, (text) => Buffer.from(text)),
      'dates for integers': parsing(INT8, (text) => new Date(Number(text))),
    }),
  )('pg that parses %s is STORE_FAILED', async (_name, options) => {
    const { store, close } = (await CLIENTS.pg?.open(url.postgres)) ?? expect.fail()
    await store.migrate?.()
    const session = new Session()
    session.expireIn(3600)
    const value = (await store.storeSession(session)) ?? expect.fail()
    await close()
    const odd = new PostgresStore(await connected(options))
    await expect(odd.loadSession(value)).rejects.toMatchObject(notUnderstood)
  })

  const rename = (row: object): object =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toUpperCase(), value]))
  const ANSWERS: Record<string, (result: PgResult) => unknown> = {
    'renamed columns': (result) => ({
      ...result,
      rows: result.rows.map((row) => rename(row as object)),
    }),
    'rows as arrays': (result) => ({
      ...result,
      rows: result.rows.map((row) => Object.values(row as object)),
    }),
    'rows alone': ({ rows }) => rows,
    'no rows': ({ rowCount }) => ({ rowCount }),
  }
  test.each(Object.keys(ANSWERS))('a client that answers with %s is STORE_FAILED', async (name) => {
    const value = await issued('postgres')
    const client = await connected()
    const store = new PostgresStore({
      query: async (text, values) => ANSWERS[name]?.(await client.query(text, values)) as PgResult,
    })
    await expect(store.loadSession(value)).rejects.toMatchObject(notUnderstood)
    await expect(store.sessionsOf('grace')).rejects.toMatchObject(notUnderstood)
    await expect(store.destroySessionsOf('grace')).rejects.toMatchObject(notUnderstood)
    await expect(store.count()).rejects.toMatchObject(notUnderstood)
  })

  test.each([['text'], [undefined], [null], [Number.NaN], [{}]])(
    'a client that counts rows by %j is STORE_FAILED',
    async (rowCount) => {
      const value = await issued('postgres')
      const client = await connected()
      const store = new PostgresStore({
        query: async (text, values) =>
          ({ ...(await client.query(text, values)), rowCount }) as PgResult,
      })
      const session = (await store.loadSession(value)) ?? expect.fail()
      await expect(store.storeSession(new Session())).rejects.toMatchObject(notUnderstood)
      session.set('n', 1)
      await expect(store.storeSession(session)).rejects.toMatchObject(notUnderstood)
      await expect(store.destroySession(session)).rejects.toMatchObject(notUnderstood)
      await expect(store.cleanup()).rejects.toMatchObject(notUnderstood)
      await expect(store.clearStore()).rejects.toMatchObject(notUnderstood)
    },
  )
})

describe.skipIf(url.mysql === '')('T10 MySQL', () => {
  const bytes = (
    { type, buffer }: { type: string; buffer: () => unknown },
    next: () => unknown,
  ): unknown => (/BLOB|STRING/.test(type) ? buffer() : next())
  const OPTIONS: Record<string, object> = {
    'rows as arrays': { rowsAsArray: true },
    'nested tables': { nestTables: true },
    'nested tables with a separator': { nestTables: '_' },
    'typeCast: false': { typeCast: false },
    'a typeCast that gives bytes': { typeCast: bytes },
    'integers as text': { supportBigNumbers: true, bigNumberStrings: true },
    'named placeholders': { namedPlaceholders: true },
  }
  describe.each([{}, { disableEval: true }])('with %j', (more) => {
    test.each(Object.keys(OPTIONS))('works with mysql2 and %s', async (name) => {
      const connection = await mysql.createConnection({
        uri: url.mysql,
        ...OPTIONS[name],
        ...more,
      } as never)
      closing.push(() => connection.end())
      await works(
        new MySQLStore(connection, { table: `opt_${Object.keys(OPTIONS).indexOf(name)}` }),
      )
      const pool = mysql.createPool({ uri: url.mysql, ...OPTIONS[name], ...more } as never)
      closing.push(() => pool.end())
      await works(new MySQLStore(pool, { table: `opt_pool_${Object.keys(OPTIONS).indexOf(name)}` }))
    })
  })

  // biome-ignore lint/suspicious/noExplicitAny: what other drivers answer
  const ANSWERS: Record<string, (rows: any, fields: unknown) => unknown> = {
    'rows alone': (rows) => (Array.isArray(rows) ? rows : { affectedRows: rows.affectedRows }),
    'a result of PlanetScale’s': (rows) => ({ rows, rowsAffected: 1 }),
    'renamed columns': (rows, fields) => [
      Array.isArray(rows) ? rows.map((row) => ({ ID: row.id })) : {},
      fields,
    ],
    nothing: () => undefined,
  }
  test.each(Object.keys(ANSWERS))('a client that answers with %s is STORE_FAILED', async (name) => {
    const value = await issued('mysql')
    const connection = await mysql.createConnection(url.mysql)
    closing.push(() => connection.end())
    const store = new MySQLStore({
      execute: async (sql, values) => {
        const [rows, fields] = await connection.execute(sql, values)
        return ANSWERS[name]?.(rows, fields) as [unknown, unknown]
      },
    })
    await expect(store.loadSession(value)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(store.sessionsOf('grace')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(store.storeSession(new Session())).rejects.toMatchObject(notUnderstood)
    await expect(store.clearStore()).rejects.toMatchObject(notUnderstood)
  })
})

const double = await startMongoDBDouble()
closing.push(() => double.close())

describe.each(Object.entries({ 'a double': double.url, 'a server': servers.mongodb ?? '' }))(
  'T10 MongoDB on %s',
  (_backend, mongodb) => {
    const collectionOf = (options: MongoClientOptions): Collection<{ _id: string }> => {
      const client = new MongoClient(mongodb, options)
      closing.push(() => client.close())
      return client.db().collection(`options_${process.pid}`)
    }

    test
      .skipIf(mongodb === '')
      .each<MongoClientOptions>([
        { raw: true },
        { promoteValues: false },
        { promoteLongs: false },
        { promoteBuffers: true },
        { useBigInt64: true },
        { bsonRegExp: true },
        { ignoreUndefined: true },
        { serializeFunctions: true },
        { readPreference: 'secondaryPreferred' },
      ])('works with %j', async (options) => {
      await works(new MongoDBStore(collectionOf(options)))
    })

    test.skipIf(mongodb === '')('a write that nobody confirms is STORE_FAILED', async () => {
      const store = new MongoDBStore(collectionOf({ writeConcern: { w: 0 } }))
      await expect(store.storeSession(new Session())).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining('majority'),
      })
      await expect(store.clearStore()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    })

    test.skipIf(mongodb === '')(
      'documents in another form are STORE_FAILED, corrupt ones no session',
      async () => {
        const collection = collectionOf({})
        const store = new MongoDBStore(collection)
        const session = new Session()
        const value = (await store.storeSession(session)) ?? expect.fail()
        for (const odd of [
          Buffer.from('x'),
          ['id'],
          { id: 'x' },
          { _id: 'another' },
          5,
          undefined,
        ]) {
          const answering = new Proxy(collection, {
            get: (target, key) =>
              key === 'findOne' ? async () => odd : Reflect.get(target, key)?.bind?.(target),
          })
          const failing = new MongoDBStore(answering)
          await expect(failing.loadSession(value)).rejects.toMatchObject(notUnderstood)
        }
        const document = (await collection.findOne({ _id: session.id } as never)) ?? expect.fail()
        for (const change of [{ body: 5 }, { body: null }, { expiry: 'soon' }, { owner: 5 }]) {
          await collection.replaceOne({ _id: document._id }, { ...document, ...change } as never)
          expect(await store.loadSession(value)).toBeUndefined()
        }
        await store.clearStore()
      },
    )
  },
)

describe('T10 refused when the store is made, with what to pass instead', () => {
  const never = (): never => expect.fail('nothing is sent')
  const client = new MongoClient('mongodb://127.0.0.1:1/test')
  const connecting = Promise.resolve({})
  const CASES: [string, () => unknown, RegExp][] = [
    [
      'neon()',
      () => new PostgresStore(neon('postgres://a:b@c.neon.tech/d') as never),
      /Pool or Client of @neondatabase.*fullResults/,
    ],
    ['a URL', () => new PostgresStore('postgres://a:b@c/d' as never), /make a client/],
    [
      'a Hyperdrive binding',
      () => new PostgresStore({ connectionString: 'x', connect: never } as never),
      /make a client/,
    ],
    ['a promise', () => new PostgresStore(connecting as never), /await it first/],
    ['nothing', () => new PostgresStore(undefined as never), /got undefined/],
    [
      'a Drizzle database',
      () => new PostgresStore({ $client: {}, query: {} } as never),
      /\$client/,
    ],
    [
      'a Knex',
      () => new PostgresStore(Object.assign(never, { raw: never }) as never),
      /takes a postgres.js/,
    ],
    [
      'a pool of mysql2 with callbacks',
      () => new MySQLStore(mysqlCallbacks.createPool('mysql://a:b@127.0.0.1:1/d') as never),
      /client\.promise\(\)/,
    ],
    ['a promise of a connection', () => new MySQLStore(connecting as never), /await it first/],
    [
      'a pool of mariadb',
      () => new MySQLStore({ execute: never, batch: never } as never),
      /mysql2/,
    ],
    [
      '@planetscale/database',
      () => new MySQLStore({ execute: never, transaction: never } as never),
      /Hyperdrive/,
    ],
    ['an object of no use', () => new MySQLStore({} as never), /mysql2\/promise/],
    ['a MongoClient', () => new MongoDBStore(client as never), /collection\('sessions'\)/],
    ['a Db', () => new MongoDBStore(client.db() as never), /db\.collection/],
    [
      'a Mongoose model',
      () => new MongoDBStore(Object.assign(() => {}, { schema: {}, collection: {} }) as never),
      /Model\.collection/,
    ],
    ['null', () => new MongoDBStore(null as never), /got null/],
  ]
  test.each(CASES)('%s', (_what, make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
    expect(make).not.toThrow(/a:b@c/)
  })
})
