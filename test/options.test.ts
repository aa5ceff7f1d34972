import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import {
  CookieStore,
  KeyedStore,
  MemoryStore,
  type SessionEnv,
  type SessionOptions,
  session,
} from '../src/index.ts'
import { OPTIONS, type Place } from '../src/options/options.ts'
import { CachingStore } from '../src/stores/caching.ts'
import { D1Store } from '../src/stores/d1.ts'
import { DurableObjectStore } from '../src/stores/durable-object.ts'
import { KVStore } from '../src/stores/kv.ts'
import { type MongoDBCollection, MongoDBStore } from '../src/stores/mongodb.ts'
import { MySQLStore } from '../src/stores/mysql.ts'
import { PostgresStore } from '../src/stores/postgres.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { sessionCookie } from '../src/testing.ts'
import { makeSecret } from './support/secret.ts'
import { Visitor } from './support/visitor.ts'

const SECRET = makeSecret()
const store = new MemoryStore({ name: 'options' })

class TableStore extends KeyedStore {
  async read(): Promise<undefined> {}
  async insert(): Promise<boolean> {
    return true
  }
  async replace(): Promise<boolean> {
    return true
  }
  async remove(): Promise<boolean> {
    return true
  }
  async removeAll(): Promise<void> {}
}

const unused = async (): Promise<never> => expect.fail('was asked')
const collection = Object.fromEntries(
  [
    'findOne',
    'find',
    'insertOne',
    'replaceOne',
    'deleteOne',
    'deleteMany',
    'countDocuments',
    'createIndex',
  ].map((method) => [method, unused]),
) as unknown as MongoDBCollection

type Make = (options: never) => unknown

/** Everything that takes options, made with them: what else it needs is there. */
const MAKE: Record<Exclude<Place, 'SqlStore' | 'sessionCookie()'>, Make> = {
  'session()': (options: object) => session({ store, ...options }),
  cookie: (cookie: never) => session({ store, cookie }),
  KeyedStore: (options: never) => new TableStore(options),
  MemoryStore: (options: never) => new MemoryStore(options),
  CookieStore: (options: object) => new CookieStore({ secrets: SECRET, ...options }),
  CachingStore: (options: object) =>
    new CachingStore(store, { maxAge: 60, name: 'options', ...options }),
  DurableObjectStore: (options: never) => new DurableObjectStore(env.SESSIONS, options),
  D1Store: (options: never) => new D1Store(env.DB, options),
  KVStore: (options: never) => new KVStore(env.KV, options),
  PostgresStore: (options: never) => new PostgresStore({ query: unused }, options),
  MySQLStore: (options: never) => new MySQLStore({ execute: unused }, options),
  RedisStore: (options: never) => new RedisStore({ sendCommand: unused }, options),
  MongoDBStore: (options: never) => new MongoDBStore(collection, options),
}

const PLACES = Object.entries(MAKE) as [Place, Make][]
const STORES = PLACES.filter(([place]) => !['session()', 'cookie'].includes(place))

/** The message of the `TypeError` that `make` throws. */
function refusal(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError)
    return (error as TypeError).message
  }
  return expect.fail('nothing was thrown')
}

const refused = (place: keyof typeof MAKE, options: unknown): string =>
  refusal(() => MAKE[place](options as never))

describe('M7 an option that does not exist', () => {
  test.each(PLACES)('of %s is refused by name', (place, make) => {
    const message = refusal(() => make({ frobnicate: 1 } as never))
    expect(message).toContain('"frobnicate"'.replace('"', place === 'cookie' ? '"cookie.' : '"'))
    for (const option of Object.keys(OPTIONS[place])) expect(message).toContain(option)
  })

  test.each<[keyof typeof MAKE, string, string]>([
    ['session()', 'secret', '{ secrets }'],
    ['session()', 'encryptionKey', '{ secrets }'],
    ['session()', 'password', '{ secrets }'],
    ['session()', 'keys', '{ secrets }'],
    ['session()', 'cookieName', '{ name }'],
    ['session()', 'sessionCookieName', '{ name }'],
    ['session()', 'key', '{ name }'],
    ['session()', 'ttl', '{ idleTimeout }'],
    ['session()', 'maxAge', '{ idleTimeout }'],
    ['session()', 'expires', '{ idleTimeout }'],
    ['session()', 'expireAfterSeconds', '{ idleTimeout }'],
    ['session()', 'idleTimout', '{ idleTimeout }'],
    ['session()', 'idle_timeout', '{ idleTimeout }'],
    ['session()', 'absoluteTtl', '{ absoluteTimeout }'],
    ['session()', 'absoluteTimout', '{ absoluteTimeout }'],
    ['session()', 'touchafter', '{ touchAfter }'],
    ['session()', 'rolling', 'touchAfter'],
    ['session()', 'autoExtendExpiration', 'touchAfter'],
    ['session()', 'resave', 'Leave it out'],
    ['session()', 'saveUninitialized', 'Leave it out'],
    ['session()', 'genid', 'Leave it out'],
    ['session()', 'cookieOptions', '{ cookie }'],
    ['session()', 'stroe', '{ store }'],
    ['session()', 'nmae', '{ name }'],
    ['session()', 'sameSite', '{ cookie: { sameSite } }'],
    ['session()', 'cookieDomain', '{ cookie: { domain } }'],
    ['session()', 'httpOnly', 'always'],
    ['cookie', 'httpOnly', 'always'],
    ['cookie', 'httponly', 'always'],
    ['cookie', 'maxAge', 'session({ idleTimeout })'],
    ['cookie', 'expires', 'session({ idleTimeout })'],
    ['cookie', 'name', 'session({ name })'],
    ['cookie', 'secret', 'session({ secrets })'],
    ['cookie', 'secrets', 'session({ secrets })'],
    ['cookie', 'samesite', '{ sameSite }'],
    ['cookie', 'same_site', '{ sameSite }'],
    ['cookie', 'partition', '{ partitioned }'],
    ['MemoryStore', 'maxSession', '{ maxSessions }'],
    ['MemoryStore', 'max', '{ maxSessions }'],
    ['MemoryStore', 'ttl', 'session({ idleTimeout })'],
    ['MemoryStore', 'prefix', '{ name }'],
    ['CookieStore', 'secret', '{ secrets }'],
    ['CookieStore', 'encryptionKey', '{ secrets }'],
    ['CachingStore', 'ttl', '{ maxAge }'],
    ['KVStore', 'expirationTtl', 'session({ idleTimeout })'],
    ['KVStore', 'name', '{ prefix }'],
    ['RedisStore', 'keyPrefix', '{ prefix }'],
    ['RedisStore', 'ttl', 'session({ idleTimeout })'],
    ['PostgresStore', 'tableName', '{ table }'],
    ['D1Store', 'Table', '{ table }'],
    ['MySQLStore', 'tabel', '{ table }'],
    ['MongoDBStore', 'touchAfter', 'session({ touchAfter })'],
    ['KeyedStore', 'maxSessionByte', '{ maxSessionBytes }'],
    ['DurableObjectStore', 'maxSessionsBytes', '{ maxSessionBytes }'],
  ])('of %s, spelled %s, is answered with %s', (place, name, advice) => {
    expect(refused(place, { [name]: 60 })).toContain(advice)
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'is one also under the name %s, which every object has',
    (name) => {
      const options = Object.defineProperty({}, name, { value: 'x', enumerable: true })
      expect(refused('MemoryStore', options)).toContain('no option')
    },
  )

  test('shows neither a value nor a name that may be one', () => {
    expect(refused('session()', { secret: SECRET })).not.toContain(SECRET)
    for (const name of [SECRET, 'a\nb', 'a"b', 'é', '']) {
      const message = refused('session()', { [name]: SECRET })
      expect(message).toContain('no such option')
      expect(message).not.toContain(SECRET)
      if (name) expect(message).not.toContain(name)
    }
  })

  test('of D1Store.scheduled is refused where it is called, not when the Cron Trigger fires', () => {
    const scheduled = (options: object): unknown => D1Store.scheduled(() => env.DB, options)
    expect(refusal(() => scheduled({ tableName: 'x' }))).toContain('{ table }')
    expect(refusal(() => scheduled({ table: 5 }))).toContain('table')
    expect(refusal(() => D1Store.scheduled(env.DB as never))).toContain('function')
  })

  test('of sessionCookie is refused: a test would be nobody in silence', async () => {
    const made = sessionCookie(store, {}, { secret: SECRET } as object)
    await expect(made).rejects.toThrow('{ secrets }')
  })
})

const WRONG = [null, Symbol('x'), ['/'], [1], Number.NaN, new Date(), Object(true), Object('x')]

const OPTIONS_OF_ALL = PLACES.flatMap(([place]) =>
  Object.keys(OPTIONS[place]).map((option): [string, string] => [place, option]),
)

describe('M7 a value of the wrong type', () => {
  test.each(OPTIONS_OF_ALL)('is refused: %s, %s', (place, option) => {
    for (const value of WRONG) {
      const message = refused(place as keyof typeof MAKE, { [option]: value })
      expect(message).toContain(option)
    }
  })

  test.each<[keyof typeof MAKE, object]>([
    ['session()', { cookie: 'x' }],
    ['session()', { cookie: () => ({}) }],
    ['session()', { cookie: new Map() }],
    ['session()', { idleTimeout: '3600' }],
    ['session()', { idleTimeout: true }],
    ['session()', { idleTimeout: 3600n }],
    ['session()', { touchAfter: false }],
    ['session()', { saveOnError: 1 }],
    ['session()', { saveOnError: 'false' }],
    ['session()', { onEvent: 'x' }],
    ['session()', { onEvent: {} }],
    ['session()', { name: Symbol('s') }],
    ['session()', { name: 5 }],
    ['session()', { store: Promise.resolve(store) }],
    ['cookie', { path: { toString: () => '/' } }],
    ['cookie', { domain: ['a'] }],
    ['cookie', { secure: 'yes' }],
    ['cookie', { secure: 1 }],
    ['cookie', { sameSite: true }],
    ['cookie', { persistent: 1 }],
    ['cookie', { partitioned: 'true' }],
    ['MemoryStore', { warn: 0 }],
    ['MemoryStore', { maxSessions: '5' }],
    ['MemoryStore', { name: 5 }],
    ['D1Store', { table: 5 }],
    ['KVStore', { prefix: {} }],
    ['RedisStore', { prefix: 5 }],
    ['MongoDBStore', { maxSessionBytes: '65536' }],
    ['CachingStore', { maxAge: '60' }],
  ])('is refused: %s %o', (place, options) => {
    const [option = ''] = Object.keys(options)
    expect(refused(place, options)).toContain(`${option} must be`)
  })

  test.each(STORES)(
    '%s is made without options, and with those that are undefined',
    (place, make) => {
      const names = Object.keys(OPTIONS[place]).filter(
        (name) =>
          !(['secrets', 'maxAge'].includes(name) || (place === 'CachingStore' && name === 'name')),
      )
      make(Object.fromEntries(names.map((name) => [name, undefined])) as never)
      make(undefined as never)
    },
  )

  test('an option of session() that is undefined is the default, but for a secret that was forgotten', async () => {
    const names = Object.keys(OPTIONS['session()']).filter(
      (name) => !['store', 'secrets'].includes(name),
    )
    const undefineds = Object.fromEntries(names.map((name) => [name, undefined]))
    const cookie = Object.fromEntries(
      Object.keys(OPTIONS.cookie).map((name) => [name, undefined]),
    ) as object
    for (const options of [undefineds, { ...undefineds, cookie }]) {
      const app = appWith({ store, ...options })
      const line = (await app.request('https://shop.example/')).headers.get('Set-Cookie')
      expect(line).toMatch(/^__Host-session=.{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax/)
    }
    expect(refused('session()', { secrets: undefined })).toContain('secrets')
  })
})

const appWith = (options: SessionOptions): Hono<SessionEnv> => {
  const app = new Hono<SessionEnv>()
  app.use(session(options))
  app.get('/', (c) => {
    c.var.session.set('n', 1)
    return c.text('ok')
  })
  return app
}

const NO_OPTIONS = [null, 'x', 5, true, [], () => {}, new Map(), Promise.resolve({}), new Date()]

describe('M7 options that are no object', () => {
  test.each(STORES.filter(([place]) => !['CookieStore', 'CachingStore'].includes(place)))(
    'are refused by %s',
    (_place, make) => {
      for (const value of NO_OPTIONS) {
        expect(refusal(() => make(value as never))).toContain('options must be an object')
      }
    },
  )

  test('are refused by CookieStore, CachingStore and session()', () => {
    for (const value of [undefined, ...NO_OPTIONS] as never[]) {
      const why = value === undefined ? /must be|missing/ : /options must be an object/
      expect(refusal(() => new CookieStore(value))).toMatch(why)
      expect(refusal(() => new CachingStore(store, value))).toMatch(why)
      expect(refusal(() => session(value))).toMatch(why)
    }
  })

  test('a store in their place is told where it belongs', () => {
    for (const made of [store, new CookieStore({ secrets: SECRET })]) {
      expect(refusal(() => session(made as never))).toContain(
        'session({ store: new MemoryStore() })',
      )
    }
    expect(refused('MemoryStore', store)).toContain('no option')
  })

  test('a class in place of a store is told about new', () => {
    expect(refusal(() => session(MemoryStore as never))).toContain('new MemoryStore()')
    expect(refused('session()', { store: MemoryStore })).toContain('`new`')
    expect(refused('session()', { store: KVStore })).toContain('`new`')
    expect(refused('session()', { store: {} })).toContain('store')
  })

  test('a class instance, a null prototype and inherited options are options like others', async () => {
    class Config {
      store = store
      get name(): string {
        return 'cart'
      }
    }
    const bare = Object.assign(Object.create(null), { store, name: 'cart' })
    const inherited = Object.create({ store, name: 'cart' })
    for (const options of [new Config(), bare, inherited, Object.freeze({ store, name: 'cart' })]) {
      const app = new Hono<SessionEnv<Record<string, unknown>, 'cart'>>()
      app.use(session<Record<string, unknown>, 'cart'>(options as never))
      app.get('/', (c) => c.json(c.var.cart.size))
      expect((await app.request('/')).status).toBe(200)
    }
    expect(refusal(() => session(Object.assign(new Config(), { secret: 'x' }) as never))).toContain(
      '{ secrets }',
    )
    const small = new TableStore(Object.create({ maxSessionBytes: 10 }))
    await expect(sessionCookie(small, { text: 'longer' })).rejects.toMatchObject({
      code: 'SESSION_TOO_LARGE',
    })
  })
})

describe('M7 timeouts that contradict each other', () => {
  test.each<[string, Partial<SessionOptions>]>([
    ['equal', { touchAfter: 3600, idleTimeout: 3600 }],
    ['longer', { touchAfter: 7200, idleTimeout: 3600 }],
    ['of the default', { touchAfter: 86_400 }],
    ['of the default, which is the absolute one', { touchAfter: 3600, absoluteTimeout: 3600 }],
    ['in milliseconds', { touchAfter: 60_000, idleTimeout: 3600 }],
  ])('touchAfter not shorter than the idle timeout: %s', (_what, options) => {
    expect(refused('session()', options)).toMatch(/touchAfter must be shorter.*seconds/)
  })

  test.each<[string, Partial<SessionOptions>]>([
    ['in milliseconds', { idleTimeout: 3600 * 1000 }],
    ['than the default', { idleTimeout: 3_000_000 }],
    ['than one that is set', { idleTimeout: 7200, absoluteTimeout: 3600 }],
    ['by a second', { idleTimeout: 3601, absoluteTimeout: 3600 }],
    ['though it is the default, when it is said', { idleTimeout: 86_400, absoluteTimeout: 3600 }],
  ])('an idle timeout longer than the absolute one: %s', (_what, options) => {
    const message = refused('session()', options)
    expect(message).toContain('seconds, not milliseconds')
    expect(message).toContain('absoluteTimeout')
    for (const value of Object.values(options)) expect(message).not.toContain(String(value))
  })

  test.each<[string, Partial<SessionOptions>]>([
    ['equal timeouts', { idleTimeout: 3600, absoluteTimeout: 3600 }],
    ['an absolute timeout shorter than the default idle one', { absoluteTimeout: 3600 }],
    ['no absolute timeout', { idleTimeout: 3_000_000, absoluteTimeout: false }],
    ['no idle timeout', { idleTimeout: false, touchAfter: 1e9 }],
    ['touchAfter 0', { idleTimeout: 1, touchAfter: 0 }],
    ['a pause just shorter', { idleTimeout: 3600, touchAfter: 3599 }],
    [
      'very long ones',
      { idleTimeout: 1e300, absoluteTimeout: Number.MAX_VALUE, touchAfter: 1e299 },
    ],
  ])('none: %s', async (_what, options) => {
    const ada = new Visitor(appWith({ store, ...options }) as never)
    expect((await ada.visit('/')).status).toBe(200)
    expect((await ada.visit('/')).status).toBe(200)
  })

  test('with an absolute timeout alone, the idle one is no longer than that', async () => {
    const response = await appWith({ store, absoluteTimeout: 3600 }).request(
      'https://shop.example/',
    )
    expect(response.headers.get('Set-Cookie')).toContain('Max-Age=3600;')
  })
})

describe('M7 what could not be in a cookie', () => {
  test.each(['__Host-x', '__secure-x', '__x', '__', '__session'])('name %s', (name) => {
    expect(refused('session()', { name })).toContain('__')
  })

  test.each([
    'https://shop.example',
    'shop.example:8787',
    'shop.example.',
    'shop.example/app',
    '*.shop.example',
    '[::1]',
    '::1',
    '.',
    '',
    `${'a'.repeat(254)}`,
  ])('domain %j', (domain) => {
    const message = refused('cookie', { domain })
    expect(message).toContain('cookie.domain must be a host name')
    if (domain.length > 2) expect(message).not.toContain(domain)
  })

  test.each(['my_team.example.com', '_x.example', '.shop.example', 'localhost', '127.0.0.1'])(
    'M8 domain %s is fine',
    async (domain) => {
      const app = appWith({ store, cookie: { domain } })
      const response = await app.request('https://shop.example/')
      expect(response.headers.get('Set-Cookie')).toContain(`; Domain=${domain};`)
    },
  )

  test('a path that browsers would cut off', () => {
    expect(refused('cookie', { path: `/${'a'.repeat(1024)}` })).toContain('cookie.path')
    session({ store, cookie: { path: `/${'a'.repeat(1023)}` } })
  })

  test.each([
    ['lax', 'Lax'],
    ['STRICT', 'Strict'],
    ['nOnE', 'None'],
  ])('SameSite is taken in any case: %s goes out as %s', async (sameSite, written) => {
    const app = appWith({ store, cookie: { sameSite: sameSite as 'lax' } })
    const response = await app.request('https://shop.example/')
    expect(response.headers.get('Set-Cookie')).toContain(`; SameSite=${written};`)
  })

  test('SameSite none without Secure, in any case', () => {
    for (const sameSite of ['None', 'none', 'NONE']) {
      expect(refused('cookie', { sameSite, secure: false })).toContain('secure')
    }
  })
})

describe('M20 the middleware made in the request', () => {
  interface Env extends SessionEnv<{ n: number }> {
    Bindings: { COOKIE_DOMAIN: string }
  }

  test('takes cookie.domain from the environment, and finds its session again', async () => {
    const app = new Hono<Env>()
    app.use((c, next) =>
      session<{ n: number }>({ store, cookie: { domain: c.env.COOKIE_DOMAIN } })(c, next),
    )
    app.get('/', (c) => {
      c.var.session.update('n', (n = 0) => n + 1)
      return c.text(String(c.var.session.get('n')))
    })
    const at = (domain: string): Visitor =>
      new Visitor((url, init) => app.request(url, init, { COOKIE_DOMAIN: domain }))
    const ada = at('shop.example')
    const first = await ada.visit('/')
    expect(first.headers.get('Set-Cookie')).toMatch(/^__Secure-session=.*; Domain=shop\.example;/)
    expect(await ada.text('/')).toBe('2')
    const other = await at('shop.test').visit('/')
    expect(other.headers.get('Set-Cookie')).toContain('; Domain=shop.test;')
    expect(await other.text()).toBe('1')
  })
})
