import { readFile } from 'node:fs/promises'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { httpStory } from '../support/http-story.ts'
import { type Isolate, startIsolates } from '../support/isolates.ts'
import { Visitor } from '../support/visitor.ts'
import { bundleByWrangler } from './support/bundle.ts'
import { KINDS, type Kind, type Server, startServer } from './support/servers.ts'

const CLIENTS: Record<string, Kind> = {
  'postgres.js': 'postgres',
  'pg-client': 'postgres',
  'pg-pool': 'postgres',
  mysql2: 'mysql',
  'node-redis': 'redis',
  ioredis: 'redis',
  mongodb: 'mongodb',
}

const ORIGIN = 'https://shop.example'
const post = { method: 'POST' }
const VISITS = 1000

const known = inject('servers')
const missing = KINDS.filter((kind) => known[kind] === undefined)

/** Servers that nobody else is connected to. */
const servers: Partial<Record<Kind, Server>> = {}
const closing: (() => Promise<unknown>)[] = []
let isolate: Isolate

const urlOf = (kind: Kind): string => servers[kind]?.url ?? known[kind] ?? ''

beforeAll(async () => {
  await Promise.all(
    KINDS.map(async (kind) => {
      const server = known[kind] === undefined ? undefined : await startServer(kind)
      if (!server) return
      servers[kind] = server
      closing.push(() => server.dispose())
    }),
  )
  const code = await bundleByWrangler('test/servers/support/servers-worker.toml')
  const env = Object.fromEntries(
    KINDS.map((kind) => [kind.toUpperCase(), { type: 'text', value: urlOf(kind) }]),
  )
  const started = await startIsolates(code, 1, { env })
  closing.push(() => started.runtime.dispose())
  isolate = started.isolates[0] ?? expect.fail()
}, 120_000)

afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

const ask = (client: string): Isolate => {
  return (url, init) => isolate(url.replace(ORIGIN, `${ORIGIN}/${client}`), init)
}

/** How many connections the server has, beside the one that asks. */
async function connections(kind: Kind): Promise<number> {
  const url = urlOf(kind)
  switch (kind) {
    case 'postgres': {
      const client = new Client(url)
      await client.connect()
      const sql = `SELECT count(*) AS n FROM pg_stat_activity WHERE usename = 'test' AND backend_type = 'client backend' AND pid <> pg_backend_pid()`
      const { rows } = await client.query(sql)
      await client.end()
      return Number(rows[0].n)
    }
    case 'mysql': {
      const connection = await createConnection(url)
      const sql = `SELECT id FROM information_schema.processlist WHERE user = 'test' AND id <> connection_id()`
      const [rows] = await connection.query(sql)
      await connection.end()
      return (rows as unknown[]).length
    }
    case 'redis': {
      const client = await createClient({ url }).connect()
      const list = String(await client.sendCommand(['CLIENT', 'LIST']))
      await client.close()
      return list.trim().split('\n').length - 1
    }
    case 'mongodb': {
      // The server does not say. The kernel does: every established connection to its port.
      const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
      const table = await readFile('/proc/net/tcp', 'utf8')
      return table
        .split('\n')
        .filter((line) => new RegExp(`^ *\\d+: \\w+:${port} \\w+:\\w+ 01 `).test(line)).length
    }
  }
}

describe.skipIf(missing.length > 0)('inside workerd, over TCP', () => {
  describe.each(Object.keys(CLIENTS))('%s', (client) => {
    beforeAll(async () => {
      expect(await (await ask(client)(`${ORIGIN}/migrate`, post)).text()).toBe('migrated')
    })

    httpStory(client, () => ask(client))

    test('a request that needs no session opens no connection', async () => {
      const opened = async (): Promise<string> => (await isolate(`${ORIGIN}/opened`)).text()
      const before = await opened()
      const visitor = new Visitor(ask(client), ORIGIN)
      await visitor.visit('/untouched')
      await visitor.visit('/look')
      expect(await opened()).toBe(before)
      await visitor.visit('/count', post)
      expect(await opened()).not.toBe(before)
    })
  })

  test.each(KINDS)(`after ${VISITS} visits %s counts no connection of ours`, async (kind) => {
    const clients = Object.keys(CLIENTS).filter((client) => CLIENTS[client] === kind)
    const visitors = Array.from(
      { length: 20 },
      (_, i) => new Visitor(ask(clients[i % clients.length] ?? expect.fail()), ORIGIN),
    )
    await Promise.all(
      visitors.map(async (visitor) => {
        for (let n = 1; n <= VISITS / visitors.length; n++) {
          expect(await visitor.text('/count', post)).toBe(String(n))
        }
      }),
    )
    await expect.poll(() => connections(kind), { timeout: 10_000 }).toBe(0)
  })

  test('a client that is kept from one request to the next is told as that', async () => {
    expect(await (await isolate(`${ORIGIN}/kept`)).text()).toBe('counted')
    const second = await isolate(`${ORIGIN}/kept`)
    expect(second.status).toBe(500)
    expect(await second.text()).toContain('A client belongs to one request')
  })

  test('mysql2 without disableEval is told what is missing', async () => {
    const answer = await isolate(`${ORIGIN}/with-eval`)
    expect(answer.status).toBe(500)
    expect(await answer.text()).toContain('disableEval: true')
  })
})
