// Code that compiles, code that must not, and a check that nothing has quietly become `any`. Checked by `tsc`; never run.
import { Hono } from 'hono'
import { createFactory, createMiddleware } from 'hono/factory'
import { expectTypeOf } from 'vitest'
import {
  type CookieOptions,
  type CookieStoreOptions,
  KeyedStore,
  type KeyedStoreOptions,
  MemoryStore,
  type MemoryStoreOptions,
  Session,
  type SessionEnv,
  SessionError,
  type SessionErrorCode,
  type SessionEvent,
  type SessionOptions,
  type SessionRecord,
  type SessionStore,
  type SessionSummary,
  session,
} from '../src/index.ts'
import type { OPTIONS } from '../src/options/options.ts'
import type { CachingStoreOptions } from '../src/stores/caching.ts'
import type { D1StoreOptions } from '../src/stores/d1.ts'
import type { DurableObjectStoreOptions } from '../src/stores/durable-object.ts'
import type { KVStoreOptions } from '../src/stores/kv.ts'
import type { MongoDBStoreOptions } from '../src/stores/mongodb.ts'
import type { MySQLStoreOptions } from '../src/stores/mysql.ts'
import type { PostgresStoreOptions } from '../src/stores/postgres.ts'
import type { RedisStoreOptions } from '../src/stores/redis.ts'
import type { SqlStoreOptions } from '../src/stores/shared/sql-store.ts'
import { FaultyStore, sessionCookie, storeContract } from '../src/testing.ts'

interface Shop {
  cart: { items: string[] }
  visits: number
  notice: string
}

interface Admin {
  level: 1 | 2
}

type IsAny<T> = 0 extends 1 & T ? true : false
type NotAny<T> = IsAny<T> extends true ? never : T
const notAny = <T>(value: NotAny<T>): NotAny<T> => value

const store = new MemoryStore()

// A handler sees the data it was promised.
const app = new Hono<SessionEnv<Shop>>()
app.use(session<Shop>({ store }))
app.get('/', (c) => {
  const s = c.var.session
  expectTypeOf(s).toEqualTypeOf<Session<Shop>>()
  expectTypeOf(c.get('session')).toEqualTypeOf<Session<Shop>>()
  expectTypeOf(s.get('visits')).toEqualTypeOf<number | undefined>()
  expectTypeOf(s.get('cart')).toEqualTypeOf<{ readonly items: readonly string[] } | undefined>()
  notAny(s.get('cart'))
  s.set('cart', { items: ['tea'] })
  s.update('visits', (visits = 0) => {
    expectTypeOf(visits).toEqualTypeOf<number>()
    return visits + 1
  })
  s.update('cart', (cart) => {
    cart?.items.push('milk')
    return cart
  })
  s.flash('notice', 'Saved')
  s.regenerate({ keep: ['cart'] })
  s.signIn('ada', { keep: ['cart', 'visits'] })
  expectTypeOf(s.keys()).toEqualTypeOf<IterableIterator<'cart' | 'visits' | 'notice'>>()

  // @ts-expect-error: a misspelt key
  s.get('visit')
  // @ts-expect-error: a misspelt key
  s.has('visit')
  // @ts-expect-error: a misspelt key
  s.set('carts', { items: [] })
  // @ts-expect-error: a misspelt key to keep
  s.regenerate({ keep: ['carts'] })
  // @ts-expect-error: a misspelt key to keep
  s.signIn('ada', { keep: ['visit'] })
  // @ts-expect-error: a value of another type
  s.set('visits', 'many')
  // @ts-expect-error: a value of another type
  s.flash('notice', 5)
  // @ts-expect-error: a result of another type
  s.update('visits', () => 'many')
  // @ts-expect-error: what get gives is readonly
  s.get('cart')?.items.push('milk')
  // @ts-expect-error: what a session knows of itself cannot be set
  s.owner = 'ada'
  // @ts-expect-error: no such thing
  c.var.sessions
  return c.text('')
})

// Without a type of its own data is unknown, not any.
const loose = new Hono<SessionEnv>()
loose.use(session({ store }))
loose.get('/', (c) => {
  expectTypeOf(c.var.session.get('anything')).toEqualTypeOf<unknown>()
  c.var.session.set('anything', { goes: ['here'] })
  // @ts-expect-error: unknown has to be looked at first
  c.var.session.get('anything').length
  return c.text('')
})

// Two sessions of different shape in one app.
const both = new Hono<SessionEnv<Shop> & SessionEnv<Admin, 'admin'>>()
both.use(session<Shop>({ store }))
both.use(session<Admin, 'admin'>({ store, name: 'admin' }))
both.get('/', (c) => {
  expectTypeOf(c.var.session.get('visits')).toEqualTypeOf<number | undefined>()
  expectTypeOf(c.var.admin.get('level')).toEqualTypeOf<1 | 2 | undefined>()
  // @ts-expect-error: a key of the other
  c.var.admin.get('visits')
  // @ts-expect-error: an unknown level
  c.var.admin.set('level', 3)
  return c.text('')
})

// @ts-expect-error: a name other than the one in the type
session<Admin, 'admin'>({ store, name: 'session' })

// Inferred along a chain, in a sub-app and through a factory.
new Hono().use(session<Shop>({ store })).get('/', (c) => {
  expectTypeOf(c.var.session.get('visits')).toEqualTypeOf<number | undefined>()
  return c.text('')
})
new Hono().get('/', session<Shop>({ store }), (c) => {
  expectTypeOf(c.var.session).toEqualTypeOf<Session<Shop>>()
  return c.text('')
})
const sub = new Hono<SessionEnv<Shop>>().get('/', (c) => c.json(c.var.session.get('cart') ?? null))
app.route('/sub', sub)
const factory = createFactory<SessionEnv<Shop>>()
factory.createApp().use(session<Shop>({ store }))
factory.createHandlers(session<Shop>({ store }), (c) => c.text(String(c.var.session.get('visits'))))
createMiddleware<SessionEnv<Shop>>(async (c, next) => {
  c.var.session.set('visits', 1)
  await next()
})

// Options.
session({ store: () => store, idleTimeout: false, cookie: { sameSite: 'None', secure: true } })
session({ store: async (c) => new MemoryStore({ name: c.req.path }) })
session<Shop>({
  store,
  onEvent: (event, c) => {
    expectTypeOf(event).toEqualTypeOf<SessionEvent>()
    expectTypeOf(c.var.session.get('visits')).toEqualTypeOf<number | undefined>()
    if (event.type === 'rejected') expectTypeOf(event.reason).toExtend<string>()
    else expectTypeOf(event.id).toEqualTypeOf<string>()
    if (event.type === 'conflict') expectTypeOf(event.attempts).toEqualTypeOf<number>()
  },
})
expectTypeOf<SessionOptions>().toHaveProperty('store')
// @ts-expect-error: a store is needed
session({})
// @ts-expect-error: an unknown option
session({ store, cookieName: 'sid' })
// @ts-expect-error: express's spelling of secrets
session({ store, secret: 'x' })
// @ts-expect-error: a misspelt option
session({ store, idleTimout: 60 })
// @ts-expect-error: how other libraries call idleTimeout
session({ store, maxAge: 60 })
// @ts-expect-error: the cookie ends with the session
session({ store, cookie: { maxAge: 60 } })
// @ts-expect-error: it is `sameSite`
session({ store, cookie: { samesite: 'lax' } })
// @ts-expect-error: one domain
session({ store, cookie: { domain: ['shop.example'] } })
// @ts-expect-error: an unknown SameSite
session({ store, cookie: { sameSite: 'loose' } })
// @ts-expect-error: an unknown attribute
session({ store, cookie: { httpOnly: false } })
// @ts-expect-error: the store is an option
session(store)
// @ts-expect-error: a class is no store
session({ store: MemoryStore })
// @ts-expect-error: a misspelt option of a store
new MemoryStore({ maxSession: 5 })
// @ts-expect-error: options are an object
new MemoryStore('default')
for (const sameSite of ['Lax', 'Strict', 'None', 'lax', 'strict', 'none'] as const) {
  session({ store, cookie: { sameSite } })
}
// The table of options that are checked has those of the types, and no others.
expectTypeOf<keyof (typeof OPTIONS)['session()']>().toEqualTypeOf<keyof SessionOptions>()
expectTypeOf<keyof (typeof OPTIONS)['cookie']>().toEqualTypeOf<keyof CookieOptions>()
expectTypeOf<keyof (typeof OPTIONS)['MemoryStore']>().toEqualTypeOf<keyof MemoryStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['CookieStore']>().toEqualTypeOf<keyof CookieStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['KeyedStore']>().toEqualTypeOf<keyof KeyedStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['SqlStore']>().toEqualTypeOf<keyof SqlStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['CachingStore']>().toEqualTypeOf<keyof CachingStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['D1Store']>().toEqualTypeOf<keyof D1StoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['KVStore']>().toEqualTypeOf<keyof KVStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['RedisStore']>().toEqualTypeOf<keyof RedisStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['MySQLStore']>().toEqualTypeOf<keyof MySQLStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['PostgresStore']>().toEqualTypeOf<keyof PostgresStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['MongoDBStore']>().toEqualTypeOf<keyof MongoDBStoreOptions>()
expectTypeOf<keyof (typeof OPTIONS)['DurableObjectStore']>().toEqualTypeOf<
  keyof DurableObjectStoreOptions
>()
// Made in the request, it takes the context of an app with any bindings.
new Hono<SessionEnv<Shop> & { Bindings: { DOMAIN: string } }>().use((c, next) =>
  session<Shop>({ store, cookie: { domain: c.env.DOMAIN } })(c, next),
)
// @ts-expect-error: durations are numbers
session({ store, idleTimeout: '1h' })
// @ts-expect-error: only false turns a timeout off
session({ store, idleTimeout: true })

// save() hands the session itself.
await new Session<Shop>().save((s) => {
  expectTypeOf(s).toExtend<Session<Shop>>()
  s.set('visits', 1)
  // @ts-expect-error: a misspelt key
  s.set('visit', 1)
})

// Stores.
expectTypeOf(store).toExtend<SessionStore>()
expectTypeOf(store.sessionsOf('ada')).toEqualTypeOf<Promise<SessionSummary[]>>()
expectTypeOf(store.destroySessionsOf('ada', { except: new Session<Shop>() })).toEqualTypeOf<
  Promise<number>
>()
expectTypeOf(store.destroySessionById('ada', 'id')).toEqualTypeOf<Promise<boolean>>()
const anyStore: SessionStore = store
// @ts-expect-error: not every store can find sessions by owner
void anyStore.sessionsOf('ada')
const loaded = await store.loadSession('x')
expectTypeOf(loaded).toExtend<Session | undefined>()
await store.storeSession(new Session<Shop>())

class Table extends KeyedStore {
  async read(_id: string): Promise<SessionRecord | undefined> {
    return undefined
  }
  async insert(_id: string, record: SessionRecord): Promise<boolean> {
    notAny(record)
    expectTypeOf(record.expiry).toEqualTypeOf<number | null>()
    // @ts-expect-error: a record is what it is
    record.body = ''
    return true
  }
  async replace(_id: string, _record: SessionRecord, _version: string): Promise<boolean> {
    return false
  }
  async remove(_id: string, _version?: string): Promise<boolean> {
    return false
  }
  async removeAll(): Promise<void> {}
}
new Table({ maxSessionBytes: 1000 })
// @ts-expect-error: the operations of a MemoryStore are not for everyone
void store.read('id')
// @ts-expect-error: a backend has to fill in all five
class Half extends KeyedStore {
  async read(): Promise<undefined> {}
}
new Half()

// Errors.
const error = new SessionError('STORE_FAILED', 'message', { cause: 1 })
expectTypeOf(error.code).toEqualTypeOf<SessionErrorCode>()
// @ts-expect-error: an unknown code
new SessionError('OOPS', 'message')

// For tests.
const cookie = await sessionCookie<Shop>(
  store,
  { cart: { items: [] }, visits: 1, notice: '' },
  { owner: 'ada' },
)
expectTypeOf(cookie).toEqualTypeOf<string>()
// @ts-expect-error: an unknown method
new FaultyStore(store).failNext('read')
// @ts-expect-error: an unknown capability
storeContract('S', () => store, { test: () => {}, capabilities: { speed: true } })
