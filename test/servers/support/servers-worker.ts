// The story app over every database client, each below a path of its own: one client for each request, as the guide says.
import { type Context, Hono } from 'hono'
import { Redis as IORedis } from 'ioredis'
import { MongoClient } from 'mongodb'
import mysql from 'mysql2/promise'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { createClient } from 'redis'
import type { SessionStore } from '../../../src/index.ts'
import { MongoDBStore } from '../../../src/stores/mongodb.ts'
import { MySQLStore } from '../../../src/stores/mysql.ts'
import { PostgresStore } from '../../../src/stores/postgres.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import { storyApp } from '../../support/story-app.ts'

interface Env {
  Bindings: { POSTGRES: string; MYSQL: string; REDIS: string; MONGODB: string }
  Variables: { close?: () => Promise<unknown> }
}

interface Opened {
  store: SessionStore & { migrate?(): Promise<void> }
  close: () => Promise<unknown>
}

const CLIENTS: Record<string, (env: Env['Bindings']) => Opened | Promise<Opened>> = {
  'postgres.js': (env) => {
    const sql = postgres(env.POSTGRES, { max: 1, fetch_types: false, onnotice: () => {} })
    return { store: new PostgresStore(sql), close: () => sql.end() }
  },
  'pg-client': async (env) => {
    const client = new Client(env.POSTGRES)
    await client.connect()
    return { store: new PostgresStore(client), close: () => client.end() }
  },
  'pg-pool': (env) => {
    const pool = new Pool({ connectionString: env.POSTGRES, max: 1 })
    return { store: new PostgresStore(pool), close: () => pool.end() }
  },
  mysql2: async (env) => {
    const connection = await mysql.createConnection({ uri: env.MYSQL, disableEval: true })
    return { store: new MySQLStore(connection), close: () => connection.end() }
  },
  'node-redis': async (env) => {
    const client = createClient({ url: env.REDIS })
    client.on('error', () => {})
    await client.connect()
    return { store: new RedisStore(client), close: () => client.close() }
  },
  ioredis: (env) => {
    const client = new IORedis(env.REDIS)
    return { store: new RedisStore(client, { prefix: 'io:' }), close: () => client.quit() }
  },
  mongodb: (env) => {
    const client = new MongoClient(env.MONGODB)
    const store = new MongoDBStore(client.db().collection<{ _id: string }>('sessions'))
    return { store, close: () => client.close() }
  },
}

const app = new Hono<Env>()

app.use(async (c, next) => {
  await next()
  const close = c.get('close')
  if (close) c.executionCtx.waitUntil(close())
})

let clients = 0
app.get('/opened', (c) => c.text(String(clients)))

for (const [name, open] of Object.entries(CLIENTS)) {
  const opened = async (c: Context<Env>): Promise<Opened['store']> => {
    clients++
    const { store, close } = await open(c.env)
    c.set('close', close)
    return store
  }
  app.post(`/${name}/migrate`, async (c) => {
    await (await opened(c)).migrate?.()
    return c.text('migrated')
  })
  app.route(`/${name}`, storyApp({ store: opened }) as never)
}

// The mistake of somebody who has not read the guide: one client for the whole isolate.
let kept: ReturnType<typeof postgres> | undefined
app.get('/kept', async (c) => {
  kept ??= postgres(c.env.POSTGRES, { max: 1, fetch_types: false })
  await new PostgresStore(kept).count()
  return c.text('counted')
})
app.get('/with-eval', async (c) => {
  const connection = await mysql.createConnection(c.env.MYSQL)
  c.set('close', () => connection.end())
  await new MySQLStore(connection).loadSession('A'.repeat(43))
  return c.text('loaded')
})
app.onError((error, c) => c.text(error.message, 500))

export default app
