import { describe, expect, test } from 'vitest'
import { CookieStore, MemoryStore, session } from '../src/index.ts'
import { CachingStore } from '../src/stores/caching.ts'
import { D1Store } from '../src/stores/d1.ts'
import { DurableObjectStore } from '../src/stores/durable-object.ts'
import { KVStore } from '../src/stores/kv.ts'
import { MongoDBStore } from '../src/stores/mongodb.ts'
import { MySQLStore } from '../src/stores/mysql.ts'
import { PostgresStore } from '../src/stores/postgres.ts'
import { RedisStore } from '../src/stores/redis.ts'

// Things that people pass in place of a client: every store names what it was given, and says what to pass.

const f = (): void => {}

/** Every store that takes a client, and the least that passes for one. */
const STORES: [name: string, make: (client: unknown) => unknown, client: object][] = [
  ['D1Store', (client) => new D1Store(client as never), { prepare: f }],
  ['KVStore', (client) => new KVStore(client as never), { get: f, put: f, delete: f, list: f }],
  [
    'DurableObjectStore',
    (client) => new DurableObjectStore(client as never),
    { idFromName: f, get: f },
  ],
  ['PostgresStore', (client) => new PostgresStore(client as never), { query: f }],
  ['MySQLStore', (client) => new MySQLStore(client as never), { execute: f }],
  ['RedisStore', (client) => new RedisStore(client as never), { call: f }],
  ['MongoDBStore', (client) => new MongoDBStore(client as never), { findOne: f }],
  [
    'CachingStore',
    (client) => new CachingStore(client as never, { maxAge: 5, name: 'clients' }),
    new MemoryStore({ warn: false }),
  ],
]

describe.each(STORES)('§3 %s', (name, make, client) => {
  const isBinding = ['D1Store', 'KVStore', 'DurableObjectStore'].includes(name)

  test('takes a client', () => {
    expect(() => make(client)).not.toThrow()
  })

  test.each([
    ['undefined', undefined, isBinding ? /instead of a binding\. Pass `env\./ : /got undefined/],
    ['null', null, isBinding ? /instead of a binding\. Pass `env\./ : /got null/],
    ['a string', 'DB', isBinding ? /a string instead of a binding/ : /make a client|of the kind/],
    ['a promise', Promise.resolve(client), /await it first/],
    ['a class', class Client {}, /This is a class: pass an instance\./],
    ['all of env', { SECRET: 'x', IT: client }, /holds one: pass its property `IT`\./],
    ['something else', new URL('https://example.com'), /of the kind URL\.|something else/],
  ])('given %s, says what to pass', (_what, given, says) => {
    expect(() => make(given)).toThrow(TypeError)
    expect(() => make(given)).toThrow(says)
    expect(() => make(given)).toThrow(name)
  })
})

describe('M7 session() without a store', () => {
  test.each([
    ['nothing', undefined, /store must be a session store, made with `new`/],
    ['an empty object', {}, /store must be a session store, made with `new`/],
    ['a store', new MemoryStore({ warn: false }), /pass the store as an option/],
    ['the class of a store', CookieStore, /pass the store as an option/],
    ['the class of a store as an option', { store: MemoryStore }, /made with `new`/],
  ])('given %s, says what to pass', (_what, given, says) => {
    expect(() => session(given as never)).toThrow(TypeError)
    expect(() => session(given as never)).toThrow(says)
  })
})
