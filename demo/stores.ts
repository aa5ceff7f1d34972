import type { Context } from 'hono'
import { CookieStore, MemoryStore, type SessionStore } from '../src/index.ts'
import { CachingStore } from '../src/stores/caching.ts'
import { D1Store } from '../src/stores/d1.ts'
import { DurableObjectStore, type SessionObject } from '../src/stores/durable-object.ts'
import { KVStore } from '../src/stores/kv.ts'

export interface Bindings {
  SESSION_SECRET: string
  DB: D1Database
  KV: KVNamespace
  SESSIONS: DurableObjectNamespace<SessionObject>
}

type Playground = Context<{ Bindings: Bindings }>

export const MAX_BYTES = 33_554_432

const memory = new MemoryStore({ maxBytes: MAX_BYTES })

export type StoreFor = (c: Context) => SessionStore | Promise<SessionStore>

/** The stores that a path can name. One that needs a binding is made for each request. */
export const stores: Readonly<Record<string, StoreFor>> = {
  memory: () => memory,
  cookie: (c: Playground) => new CookieStore({ secrets: c.env.SESSION_SECRET }),
  'durable-object': (c: Playground) => new DurableObjectStore(c.env.SESSIONS),
  d1: (c: Playground) => d1(c.env),
  kv: (c: Playground) => new KVStore(c.env.KV),
  caching: async (c: Playground) => new CachingStore(await d1(c.env), { maxAge: 10 }),
}

/** Each store's class and what is said of it in one line. */
export const STORES: Readonly<Record<string, readonly [title: string, hint: string]>> = {
  memory: ['MemoryStore', 'in this isolate, as long as it lives'],
  cookie: ['CookieStore', 'sealed in the cookie itself'],
  'durable-object': ['DurableObjectStore', 'an object for each session'],
  d1: ['D1Store', 'a row in a database'],
  kv: ['KVStore', 'a key, seen elsewhere late'],
  caching: ['CachingStore', 'D1, read from this isolate for 10 s'],
}

/** Nobody applies migrations to a playground: it does so itself, at the first request of an isolate. */
async function d1({ DB }: Bindings): Promise<D1Store> {
  const store = new D1Store(DB)
  if (!migrated) {
    await store.migrate()
    await store.cleanup() // of yesterday
  }
  migrated = true
  return store
}

let migrated = false

let isolate: { id: string; startedAt: string } | undefined

/** Which isolate answers, and what its MemoryStore holds. Drawn at the first request: there is no randomness before. */
export async function describeIsolate(): Promise<{
  id: string
  startedAt: string
  sessions: number
  bytes: number
  maxBytes: number
}> {
  isolate ??= { id: crypto.randomUUID().slice(0, 8), startedAt: new Date().toISOString() }
  return { ...isolate, sessions: await memory.count(), bytes: memory.bytes, maxBytes: MAX_BYTES }
}
