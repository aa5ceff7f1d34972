import mysql from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { type MySQLClient, MySQLStore } from '../../src/stores/mysql.ts'
import { storeContract } from '../../src/testing.ts'
import { httpStory } from '../support/http-story.ts'
import { storyApp } from '../support/story-app.ts'
import { sqlStoreTests } from './support/sql-store.ts'
import { separately } from './support/together.ts'

const url = inject('servers').mysql ?? ''

const DRIVERS: Record<string, (options?: object) => Promise<mysql.Connection | mysql.Pool>> = {
  connection: async (options) => mysql.createConnection({ uri: url, ...options }),
  pool: async (options) => mysql.createPool({ uri: url, connectionLimit: 4, ...options }),
}

describe.skipIf(url === '')('MySQLStore', () => {
  for (const [kind, open] of Object.entries(DRIVERS)) {
    describe(`through a ${kind}`, () => {
      let client: mysql.Connection | mysql.Pool
      let tables = 0
      const newStore = async (): Promise<MySQLStore> => {
        const store = new MySQLStore(client, { table: `t${process.pid}_${kind}_${tables++}` })
        await store.migrate()
        return store
      }
      beforeAll(async () => {
        client = await open()
      })
      afterAll(() => client.end())

      storeContract('contract', newStore, { test })
      httpStory('story', async () => {
        const app = storyApp({ store: await newStore() })
        return (path, init) => app.request(path, init)
      })
      sqlStoreTests({
        makeStore: (options) => new MySQLStore(client, options),
        longestTable: 63,
        execute: async (sql) => {
          const [rows] = await client.query(sql)
          return Array.isArray(rows) ? rows : []
        },
        quote: '`',
        triggers: (table, log) =>
          ['INSERT', 'UPDATE', 'DELETE'].map(
            (event) =>
              `CREATE TRIGGER ${table}_${event} AFTER ${event} ON ${table} FOR EACH ROW INSERT INTO ${log} VALUES (1), (2)`,
          ),
      })
    })
  }

  separately('MySQLStore', async () => {
    const connection = await mysql.createConnection(url)
    const store = new MySQLStore(connection, { table: `separately_${process.pid}` })
    return { store, close: () => connection.end() }
  })

  test.each([
    ['counts changed rows', { flags: ['-FOUND_ROWS'] }],
    ['gives integers as text', { supportBigNumbers: true, bigNumberStrings: true }],
    ['uses named parameters and nested tables', { namedPlaceholders: true }],
    ['needs no eval', { disableEval: true }],
  ])('works with a client that %s', async (_what, options) => {
    const connection = await mysql.createConnection({ uri: url, ...options })
    const store = new MySQLStore(connection, { table: `options_${process.pid}` })
    await store.migrate()
    const app = storyApp({ store })
    const first = await app.request('https://shop.example/count', { method: 'POST' })
    const cookie = first.headers.get('Set-Cookie')?.split(';')[0] ?? ''
    const visit = async (): Promise<string> =>
      (
        await app.request('https://shop.example/count', {
          method: 'POST',
          headers: { Cookie: cookie },
        })
      ).text()
    expect([await visit(), await visit()]).toEqual(['2', '3'])
    await connection.end()
  })

  test('values are no part of the statement, and reads keep Hyperdrive from its cache', async () => {
    const sent: [string, unknown[]][] = []
    const client: MySQLClient = {
      execute: async (sql, values) => {
        sent.push([sql, values])
        return [[], undefined]
      },
    }
    await new MySQLStore(client).loadSession('A'.repeat(43))
    expect(sent).toEqual([
      [
        expect.stringMatching(/^SELECT .*NOW\(\) FROM `sessions` WHERE `id` = \?$/s),
        [expect.any(String)],
      ],
    ])
  })
})
