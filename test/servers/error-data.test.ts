// A driver's error shows nothing of a session when a statement fails, however it is printed.
import { inspect } from 'node:util'
import { MongoClient } from 'mongodb'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import postgres from 'postgres'
import { afterAll, describe, expect, inject, test } from 'vitest'
import { Session, SessionError } from '../../src/index.ts'
import { type MongoDBCollection, MongoDBStore } from '../../src/stores/mongodb.ts'
import { MySQLStore } from '../../src/stores/mysql.ts'
import { PostgresStore } from '../../src/stores/postgres.ts'
import { withoutData } from '../../src/stores/shared/error-redaction.ts'
import type { AnyStore } from './support/clients.ts'

const servers = inject('servers')
const closing: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const SECRET = 'a secret of hers'

/** All that is shown of an error, hidden properties and causes included. */
function shown(error: unknown): string {
  const parts: unknown[] = []
  for (let each = error as Error | undefined; each; each = each.cause as Error | undefined) {
    parts.push(String(each), each.stack, JSON.stringify(each))
    for (const key of Reflect.ownKeys(each)) {
      parts.push(inspect(Reflect.get(each, key), { depth: 9 }))
    }
  }
  return [inspect(error, { depth: 9, showHidden: true }), ...parts].join('\n')
}

/** The error of storing a session of this owner, and what of it must not be shown. */
async function failing(
  store: AnyStore,
  owner: string,
  prepare: (session: Session) => Promise<unknown> = async () => {},
): Promise<{ error: SessionError & { cause: Error & Record<string, unknown> }; hidden: string[] }> {
  const session = new Session()
  await prepare(session)
  session.signIn(owner)
  session.set('note', SECRET)
  const error = await store.storeSession(session).then(
    () => undefined,
    (thrown) => thrown,
  )
  expect(error).toBeInstanceOf(SessionError)
  expect(error.code).toBe('STORE_FAILED')
  const hidden = [owner, SECRET, '"d":{', ...(session.id ? [session.id] : [])]
  return { error, hidden }
}

function silent(error: unknown, hidden: string[]): void {
  const text = shown(error)
  for (const each of hidden) expect(text).not.toContain(each)
  // MariaDB prints bytes that are no ASCII by their numbers.
  expect(text).not.toMatch(/L\\xC3|\\xF0\\x9F/)
}

const OWNERS = [
  'adalovelace',
  'o’neill "the" \\ \'x\' for key',
  'Löveläce 😀',
  `it's ${'x'.repeat(200)}`,
]

const PG = {
  pg: async (url: string) => {
    const client = new Client(url)
    await client.connect()
    closing.push(() => client.end())
    return client
  },
  'postgres.js': async (url: string) => {
    const sql = postgres(url, { max: 1, onnotice: () => {} })
    closing.push(() => sql.end())
    return sql
  },
  'postgres.js with debug': async (url: string) => {
    const sql = postgres(url, { max: 1, onnotice: () => {}, debug: () => {} })
    closing.push(() => sql.end())
    return sql
  },
}

describe.skipIf(!servers.postgres).each(Object.entries(PG))(
  'S13 PostgreSQL through %s',
  (name, open) => {
    const url = servers.postgres ?? ''
    const table = `errors_${process.pid}_${name.replace(/\W/g, '')}`
    const CASES: Record<string, { sql: string; code: string; keeps: RegExp }> = {
      'a check': {
        sql: `ALTER TABLE ${table} ADD CONSTRAINT no_owner CHECK (owner IS NULL)`,
        code: '23514',
        keeps: /no_owner/,
      },
      'a unique index': {
        sql: `CREATE UNIQUE INDEX one_each ON ${table} (owner)`,
        code: '23505',
        keeps: /one_each/,
      },
      'another type': {
        sql: `ALTER TABLE ${table} ALTER COLUMN owner TYPE uuid USING NULL`,
        code: '22P02',
        keeps: /uuid/,
      },
      'a trigger that quotes the row': {
        sql: `CREATE OR REPLACE FUNCTION ${table}_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no % in here (%)', NEW.owner, NEW.body USING DETAIL = NEW.body, HINT = NEW.owner; END $$;
        CREATE TRIGGER t BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_f()`,
        code: 'P0001',
        keeps: /in here/,
      },
    }
    test.each(Object.keys(CASES))('%s', async (title) => {
      const { sql, code, keeps } = CASES[title] ?? expect.fail()
      const admin = await PG.pg(url)
      await admin.query(`SET log_parameter_max_length_on_error = -1`).catch(() => {})
      await admin.query(`DROP TABLE IF EXISTS ${table}`)
      const client = await open(url)
      const store = new PostgresStore(client, { table })
      await store.migrate()
      await admin.query(sql)
      for (const owner of OWNERS) {
        if (code === '23505') {
          const first = new Session()
          first.signIn(owner)
          await store.storeSession(first)
        }
        const { error, hidden } = await failing(store, owner)
        silent(error, hidden)
        expect(error.cause).toMatchObject({ code, severity: 'ERROR' })
        expect(error.cause).toBeInstanceOf(Error)
        expect(shown(error)).toMatch(keeps)
      }
    })
  },
)

describe.skipIf(!servers.mysql)('S13 MySQL', () => {
  const table = `errors_${process.pid}`
  const CASES: Record<string, { sql: string; code: string; keeps: RegExp }> = {
    'a unique index': {
      sql: `CREATE UNIQUE INDEX one_each ON ${table} (owner)`,
      code: 'ER_DUP_ENTRY',
      keeps: /one_each/,
    },
    'another type': {
      sql: `ALTER TABLE ${table} MODIFY owner INT`,
      code: 'ER_TRUNCATED_WRONG_VALUE_FOR_FIELD',
      keeps: /owner/,
    },
    'a trigger that quotes the row': {
      sql: `CREATE TRIGGER ${table}_t BEFORE INSERT ON ${table} FOR EACH ROW BEGIN DECLARE m VARCHAR(128) CHARACTER SET utf8mb4 DEFAULT CONCAT('no ', CONVERT(NEW.owner USING utf8mb4), ' in here'); SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = m; END`,
      code: 'ER_SIGNAL_EXCEPTION',
      keeps: /no /,
    },
  }
  test.each(Object.keys(CASES))('%s', async (title) => {
    const { sql, code, keeps } = CASES[title] ?? expect.fail()
    const connection = await createConnection(servers.mysql ?? '')
    closing.push(() => connection.end())
    await connection.query(`DROP TABLE IF EXISTS ${table}`)
    const store = new MySQLStore(connection, { table })
    await store.migrate()
    await connection.query(sql)
    // A message of a SIGNAL is cut after 128 characters.
    for (const owner of code === 'ER_SIGNAL_EXCEPTION' ? OWNERS.slice(0, 3) : OWNERS) {
      if (code === 'ER_DUP_ENTRY') {
        const first = new Session()
        first.signIn(owner)
        await store.storeSession(first)
      }
      const { error, hidden } = await failing(store, owner)
      silent(error, hidden)
      expect(error.cause).toMatchObject({ errno: expect.any(Number) })
      expect(shown(error)).toMatch(keeps)
    }
  })
})

test.skipIf(!servers.mongodb)('S13 MongoDB: a unique index of the user’s own', async () => {
  const client = new MongoClient(servers.mongodb ?? '')
  closing.push(() => client.close())
  const collection = client.db().collection<{ _id: string }>(`errors_${process.pid}`)
  await collection.createIndex({ owner: 1 }, { unique: true })
  const store = new MongoDBStore(collection)
  for (const owner of OWNERS) {
    const first = new Session()
    first.signIn(owner)
    await store.storeSession(first)
    const { error, hidden } = await failing(store, owner)
    silent(error, hidden)
    expect(error.cause).toMatchObject({ code: 11_000 })
  }
})

test('S13 MongoDB: a document that a validator refuses', async () => {
  const errInfo = { details: { consideredValue: 'adalovelace' } }
  const refused = Object.assign(new Error('Document failed validation'), {
    ...{ code: 121, errInfo, errorResponse: { errInfo }, writeErrors: [{ errInfo }] },
    ...{ keyValue: { owner: 'adalovelace' }, result: { insertedIds: ['adalovelace'] } },
  })
  const collection = { findOne: () => {}, insertOne: () => Promise.reject(refused) }
  const store = new MongoDBStore(collection as unknown as MongoDBCollection)
  const { error, hidden } = await failing(store, 'adalovelace')
  silent(error, hidden)
  expect(error.cause).toMatchObject({ code: 121, message: 'Document failed validation' })
})

describe('an error without data', () => {
  test('is passed on as it is', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), {
      code: 'ECONNREFUSED',
      cause: new AggregateError([new Error('a'), new Error('b')], 'all failed'),
    })
    expect(withoutData(refused, ['ada'])).toBe(refused)
    for (const thrown of [undefined, null, 5, 'nothing of hers']) {
      expect(withoutData(thrown, ['ada'])).toBe(thrown)
    }
  })

  test('is a copy of the same class, and the driver’s own stays whole', () => {
    class DriverError extends Error {}
    const nested = new AggregateError([
      new Error('ada 1'),
      Object.assign(new Error('x'), { sql: 'ada' }),
    ])
    const error = Object.freeze(
      Object.assign(new DriverError(`no "ada" here`, { cause: nested }), {
        code: 'X',
        where: 'ada',
      }),
    )
    const hidden = withoutData(error, ['ada']) as DriverError
    expect(hidden).toBeInstanceOf(DriverError)
    expect(hidden).toMatchObject({ code: 'X', message: 'no "…" here' })
    expect(shown(hidden)).not.toContain('ada')
    expect(hidden.stack).toMatch(/^Error: no "…" here\n {4}at /)
    expect(error.where).toBe('ada')
    expect(withoutData('it was ada', ['ada'])).toBe('it was …')
    expect(withoutData({ message: 'ada', code: 5 }, ['ada'])).toMatchObject({
      message: '…',
      code: 5,
    })
  })

  test('that is its own cause ends', () => {
    const error = Object.assign(new Error('ada'), { sql: 'ada' })
    error.cause = error
    expect(shown(withoutData(error, ['ada']))).not.toContain('ada')
  })

  test.each([
    [`relation "sessions" does not exist`, `relation "sessions" does not exist`],
    [`no table "one of hers"`, `no table "…"`],
    [`Duplicate entry 'o'neil' for key 'PRIMARY'`, `Duplicate entry '…' for key 'PRIMARY'`],
    [
      `E11000 index: owner_1 dup key: { owner: CollationKey(0x2b) }`,
      `E11000 index: owner_1 dup key: …`,
    ],
    ['adamant ada, ada.', 'adamant …, ….'],
  ])('%j becomes %j', (message, told) => {
    const sent = ['ada', '{"n":"sessions"}']
    const error = withoutData(new Error(message), sent, 'SELECT * FROM "sessions"')
    expect((error as Error).message).toBe(told)
  })
})
