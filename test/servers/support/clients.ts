import { Redis as IORedis } from 'ioredis'
import { MongoClient } from 'mongodb'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import postgres from 'postgres'
import { createClient } from 'redis'
import type { KeyedStore } from '../../../src/index.ts'
import { MongoDBStore } from '../../../src/stores/mongodb.ts'
import { MySQLStore } from '../../../src/stores/mysql.ts'
import { PostgresStore } from '../../../src/stores/postgres.ts'
import { RedisStore } from '../../../src/stores/redis.ts'
import type { Kind } from './servers.ts'

export type AnyStore = KeyedStore & { migrate?(): Promise<void>; count(): Promise<number> }

export interface Opened {
  readonly store: AnyStore
  close(): Promise<unknown>
}

export interface ClientRecipe {
  readonly kind: Kind
  open(url: string): Promise<Opened>
}

const fail = (): void => {}

/** Every client that a store takes, as somebody sets it up who wants an error rather than to wait. */
export const CLIENTS: Record<string, ClientRecipe> = {
  'postgres.js': {
    kind: 'postgres',
    open: async (url) => {
      const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: fail })
      return { store: new PostgresStore(sql), close: () => sql.end({ timeout: 0 }) }
    },
  },
  pg: {
    kind: 'postgres',
    open: async (url) => {
      const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 })
      client.on('error', fail)
      await client.connect()
      return { store: new PostgresStore(client), close: () => client.end() }
    },
  },
  mysql2: {
    kind: 'mysql',
    open: async (url) => {
      const connection = await createConnection({ uri: url, connectTimeout: 5000 })
      connection.on('error', fail)
      return { store: new MySQLStore(connection), close: async () => connection.destroy() }
    },
  },
  'node-redis': {
    kind: 'redis',
    open: async (url) => {
      const client = createClient({ url, socket: { reconnectStrategy: false } })
      client.on('error', fail)
      await client.connect()
      return { store: new RedisStore(client), close: async () => client.destroy() }
    },
  },
  ioredis: {
    kind: 'redis',
    open: async (url) => {
      const client = new IORedis(url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
      client.on('error', fail)
      return { store: new RedisStore(client), close: async () => client.disconnect() }
    },
  },
  mongodb: {
    kind: 'mongodb',
    open: async (url) => {
      const options = { serverSelectionTimeoutMS: 2000, retryReads: false, retryWrites: false }
      const client = new MongoClient(url, options)
      const store = new MongoDBStore(client.db().collection<{ _id: string }>('sessions'))
      return { store, close: () => client.close() }
    },
  },
}
