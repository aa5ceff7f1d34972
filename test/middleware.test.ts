import { exports } from 'cloudflare:workers'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, test, vi } from 'vitest'
import {
  MemoryStore,
  Session,
  type SessionEnv,
  SessionError,
  type SessionEvent,
  type SessionOptions,
  type SessionStore,
  session,
} from '../src/index.js'
import { FaultyStore, sessionCookie } from '../src/testing.js'
import { useClock } from './support/clock.js'
import { httpStory } from './support/http-story.js'
import { mounted } from './support/mount.js'
import { sealResponses } from './support/sealed.js'
import { storyApp } from './support/story-app.js'
import { Visitor } from './support/visitor.js'
import { witness, witnessSession } from './support/witness.js'

type Data = Record<string, unknown>
type Env = SessionEnv<Data>

const clock = useClock()
let stores = 0
const newStore = (): MemoryStore => new MemoryStore({ name: `middleware-${stores++}` })

httpStory('MemoryStore', () => {
  const app = storyApp({ store: newStore() })
  return (url, init) => app.request(url, init)
})

const DAY = 86_400
const HOST = 'https://shop.example'
const SHAPE = /^__Host-session=([\w-]{43}); Max-Age=(\d+); Path=\/; HttpOnly; SameSite=Lax; Secure$/

interface World {
  app: Hono<Env>
  store: FaultyStore
  events: SessionEvent[]
  ada: Visitor
}

/** An app whose handlers a test adds, and whose responses nobody may change (M16), over a store that it can make fail and whose calls it can count. */
function world(options: Partial<SessionOptions> = {}): World {
  const store = new FaultyStore(newStore())
  const events: SessionEvent[] = []
  const app = sealResponses(new Hono<Env>())
  const onEvent = (event: SessionEvent): void => {
    witness(event)
    events.push(event)
  }
  app.use(witnessSession())
  app.use(mounted({ store, onEvent, ...options }))
  app.get('/untouched', (c) => c.text('ok'))
  app.get('/read', (c) => c.json(c.var.session.get('n') ?? null))
  app.post('/write', (c) => {
    c.var.session.update('n', (n) => Number(n ?? 0) + 1)
    return c.text('ok')
  })
  app.post('/destroy', (c) => {
    c.var.session.destroy()
    return c.text('ok')
  })
  app.post('/regenerate', (c) => {
    c.var.session.regenerate()
    return c.text('ok')
  })
  app.onError((error, c) => {
    witness(error)
    return c.text(error instanceof SessionError ? error.code : error.name, 500)
  })
  return { app, store, events, ada: new Visitor(app as never) }
}

const post = { method: 'POST' }
const write = (who: Visitor): Promise<Response> => who.visit('/write', post)
const cookieOf = (response: Response): string | null => response.headers.get('Set-Cookie')
const methods = (store: FaultyStore): string[] => store.calls.map(({ method }) => method)

describe('M1 a request without a cookie that writes nothing', () => {
  test('makes no store, draws no random bytes, gets no cookie and no Vary', async () => {
    const makeStore = vi.fn(() => newStore())
    const random = vi.spyOn(crypto, 'getRandomValues')
    const { app } = world({ store: makeStore })
    const response = await app.request(`${HOST}/untouched`)
    expect(makeStore).not.toHaveBeenCalled()
    expect(random).not.toHaveBeenCalled()
    expect([...response.headers.keys()]).toEqual(['content-type'])
    random.mockRestore()
  })

  test('gets Vary, and still nothing else, when the handler looked', async () => {
    const makeStore = vi.fn(() => newStore())
    const { app } = world({ store: makeStore })
    const response = await app.request(`${HOST}/read`)
    expect(makeStore).not.toHaveBeenCalled()
    expect(response.headers.get('Vary')).toBe('Cookie')
    expect(cookieOf(response)).toBeNull()
  })
})

describe('M2 a request with a cookie', () => {
  test('is loaded once, before the handler', async () => {
    const { store, ada } = world()
    await write(ada)
    expect(await ada.text('/read')).toBe('1')
    expect(methods(store)).toEqual(['storeSession', 'loadSession'])
  })
})

describe('M3 nothing written and nothing due', () => {
  test('a thousand reads within touchAfter write nothing and send no cookie', async () => {
    const { store, ada } = world()
    await write(ada)
    for (let i = 0; i < 1000; i++) {
      expect(cookieOf(await ada.visit('/read'))).toBeNull()
      clock.advance(8)
    }
    expect(methods(store).filter((method) => method === 'storeSession')).toHaveLength(1)
  })
})

describe('M4 M5 M6 the cookie', () => {
  const lineOf = async (url: string, options: SessionOptions['cookie'] = {}): Promise<string> => {
    const { app } = world({ cookie: options })
    return cookieOf(await app.request(url, post)) ?? expect.fail('no cookie')
  }

  test('has the safest name and attributes by default', async () => {
    expect(await lineOf(`${HOST}/write`)).toMatch(SHAPE)
    expect(await lineOf(`${HOST}/write`)).toContain(`Max-Age=${DAY};`)
  })

  test.each([
    [
      'http://localhost:8787/write',
      /^session=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/,
    ],
    ['http://app.localhost/write', /^session=/],
    ['http://127.0.0.1/write', /^session=/],
    ['http://127.9.8.7:1/write', /^session=/],
    ['http://[::1]:8787/write', /^session=/],
    ['https://localhost/write', /^__Host-session=.*; Secure$/],
    ['http://shop.example/write', /^__Host-session=.*; Secure$/],
    ['http://localhost.example/write', /^__Host-session=.*; Secure$/],
    ['http://mylocalhost/write', /^__Host-session=.*; Secure$/],
    ['http://127.0.0.1.example/write', /^__Host-session=.*; Secure$/],
    ['http://shop.example/localhost/../write', /^__Host-session=.*; Secure$/],
  ])('for %s is Secure by the URL alone', async (url, shape) => {
    vi.spyOn(console, 'warn').mockReturnValue()
    expect(await lineOf(url)).toMatch(shape)
  })

  test.each([
    [{ path: '/app' }, /^__Secure-session=.*; Path=\/app; HttpOnly; SameSite=Lax; Secure$/],
    [{ domain: 'shop.example' }, /^__Secure-session=.*; Path=\/; Domain=shop.example; HttpOnly/],
    [{ secure: false }, /^session=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/],
    [{ sameSite: 'Strict' as const }, /; SameSite=Strict; Secure$/],
    [{ sameSite: 'None' as const }, /; SameSite=None; Secure$/],
    [{ partitioned: true }, /; SameSite=Lax; Partitioned; Secure$/],
    [{ persistent: false }, /^__Host-session=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/],
  ])('with %o is written so', async (options, shape) => {
    expect(await lineOf(`${HOST}/write`, options)).toMatch(shape)
  })

  test.each([
    {},
    { path: '/app' },
    { domain: 'shop.example' },
    { secure: false },
    { sameSite: 'None' as const, partitioned: true },
  ])('with %o is removed under the same name and attributes', async (cookie) => {
    const { ada } = world({ cookie })
    const set = cookieOf(await write(ada)) ?? ''
    const removed = cookieOf(await ada.visit('/destroy', post)) ?? ''
    const bare = (line: string): string => line.replace(/=[^;]*; Max-Age=\d+/, '')
    expect(bare(removed)).toBe(bare(set))
    expect(removed).toContain('=; Max-Age=0;')
    expect(ada.cookies.size).toBe(0)
  })

  test('has as Max-Age what is left of the record, to the second', async () => {
    const { app, ada } = world({ idleTimeout: DAY, absoluteTimeout: 2 * DAY, touchAfter: 0 })
    app.get('/expiry', (c) => c.json(c.var.session.expiry))
    await write(ada)
    clock.advance(1.5 * DAY - 1)
    expect(await ada.text('/read')).toBe('null')
    await write(ada)
    for (const [wait, left] of [
      [DAY - 10, DAY],
      [DAY - 10, 20],
    ] as const) {
      clock.advance(wait)
      const line = cookieOf(await ada.visit('/read'))
      expect(line).toContain(`Max-Age=${left};`)
      const expiry = new Date(JSON.parse(await ada.text('/expiry')))
      expect(expiry.getTime()).toBe(Date.now() + left * 1000)
    }
  })

  test('warns once per isolate on plain http elsewhere, naming the way out', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    vi.stubGlobal(Symbol.for('isolate-session.warned') as never, undefined)
    for (let i = 0; i < 3; i++) await lineOf('http://shop.example/write')
    expect(warn).toHaveBeenCalledOnce()
    expect(warn.mock.calls[0]?.[0]).toContain('wrangler dev --host localhost')
    vi.unstubAllGlobals()
    warn.mockRestore()
  })

  test('is never larger than a browser takes: then nothing is sent', async () => {
    const huge: SessionStore = {
      loadSession: async () => undefined,
      storeSession: async () => 'x'.repeat(4096 - '__Host-session'.length + 1),
      destroySession: async () => {},
      clearStore: async () => {},
    }
    const { app } = world({ store: huge })
    app.post('/id', (c) => {
      c.var.session.set('n', 1)
      return c.text('ok')
    })
    const response = await app.request(`${HOST}/id`, post)
    expect(await response.text()).toBe('SESSION_TOO_LARGE')
    expect(cookieOf(response)).toBeNull()
  })

  test('is the only one of its name, and other cookies survive', async () => {
    const { app, ada } = world()
    app.post('/others', (c) => {
      c.header('Set-Cookie', 'theme=dark', { append: true })
      c.header('Set-Cookie', 'lang=en', { append: true })
      c.var.session.set('n', 1)
      c.var.session.regenerate()
      return c.text('ok')
    })
    await write(ada)
    const lines = (await ada.visit('/others', post)).headers.getSetCookie()
    expect(lines).toHaveLength(3)
    expect(lines.slice(0, 2)).toEqual(['theme=dark', 'lang=en'])
    expect(lines[2]).toMatch(SHAPE)
  })
})

describe('M7 options that contradict each other', () => {
  const store = new MemoryStore({ name: 'options' })
  test.each<[string, Partial<SessionOptions>]>([
    ['no store', { store: undefined as unknown as SessionStore }],
    ['no store at all', { store: {} as SessionStore }],
    ['SameSite=None without Secure', { cookie: { sameSite: 'None', secure: false } }],
    ['Partitioned without Secure', { cookie: { partitioned: true, secure: false } }],
    ['an unknown SameSite', { cookie: { sameSite: 'loose' as 'Lax' } }],
    ['secure of another kind', { cookie: { secure: 'yes' as 'auto' } }],
    ...['a;b', 'a b', 'a=b', '', 'é', 'a\r\nb', 'a\0', '__Host-x', '__secure-x'].map(
      (name): [string, object] => [`name ${JSON.stringify(name)}`, { name }],
    ),
    ...['/a;b', 'a', '', '/é', '/a\r\nSet-Cookie: x=y', '/\0'].map((path): [string, object] => [
      `path ${JSON.stringify(path)}`,
      { cookie: { path } },
    ]),
    ...['a;b', 'é.example', 'a b', '', 'a\r\n', 'a..b'].map((domain): [string, object] => [
      `domain ${JSON.stringify(domain)}`,
      { cookie: { domain } },
    ]),
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, true, '60', null].flatMap(
      (seconds): [string, object][] => [
        [`idleTimeout ${seconds}`, { idleTimeout: seconds }],
        [`absoluteTimeout ${seconds}`, { absoluteTimeout: seconds }],
      ],
    ),
    ...[-1, Number.NaN, Number.POSITIVE_INFINITY, '60', null, false].map(
      (seconds): [string, object] => [`touchAfter ${seconds}`, { touchAfter: seconds }],
    ),
  ])('throw at once: %s', (_what, options) => {
    expect(() => session({ store, ...options })).toThrow(TypeError)
  })

  test('and sensible ones do not', () => {
    session({ store, idleTimeout: false, absoluteTimeout: false, touchAfter: 0 })
    session({
      store: () => store,
      cookie: { sameSite: 'None', domain: '.shop.example', path: '/a/b' },
    })
  })
})

describe('M8 a value that we did not issue', () => {
  const planted = 'A'.repeat(43)

  test('is left alone until something is written, and then replaced', async () => {
    const { events, ada } = world()
    ada.cookies.set('__Host-session', planted)
    expect(cookieOf(await ada.visit('/read'))).toBeNull()
    expect(events).toEqual([{ type: 'rejected', reason: 'unknown' }])
    const line = cookieOf(await write(ada))
    expect(line).toMatch(SHAPE)
    expect(line).not.toContain(planted)
  })

  test('is forgotten by the browser when the visitor signs out', async () => {
    const { store, ada } = world()
    ada.cookies.set('__Host-session', planted)
    await ada.visit('/destroy', post)
    expect(ada.cookies.size).toBe(0)
    expect(methods(store)).toEqual(['loadSession'])
  })
})

describe('M9 cookies that are odd', () => {
  const value = 'A'.repeat(43)
  const name = '__Host-session'

  test('several different values are no session', async () => {
    const { app, store, events } = world()
    const own = await sessionCookie(store, { n: 1 })
    const real = own.split('; ')[1] ?? ''
    for (const header of [
      `${real}; ${name}=${value}`,
      `${name}=${value}; ${real}`,
      `${real}; ${name}=`,
    ]) {
      events.length = 0
      const before = store.calls.length
      const response = await app.request(`${HOST}/read`, { headers: { Cookie: header } })
      expect(await response.json()).toBeNull()
      expect(events).toEqual([{ type: 'rejected', reason: 'duplicate' }])
      expect(store.calls).toHaveLength(before)
    }
  })

  test('identical repeats are fine', async () => {
    const { app, store } = world()
    const real = (await sessionCookie(store, { n: 1 })).split('; ')[1] ?? ''
    const header = `a=b; ${real}; c=d;${real} ;\t${real}\t`
    const response = await app.request(`${HOST}/read`, { headers: { Cookie: header } })
    expect(await response.json()).toBe(1)
  })

  test.each([
    `__host-session=${value}`,
    `__Host-Session=${value}`,
    `__Host-session2=${value}`,
    `x__Host-session=${value}`,
    `=__Host-session=${value}`,
    `__%48ost-session=${value}`,
    `session=${value}`,
    `\u00a0__Host-session=${value}`,
    `__Host-session`,
    `a=__Host-session=${value}`,
    `a="; b`,
  ])('a look-alike is not ours: %j', async (header) => {
    const { app, store, events } = world()
    const request = new Request(`${HOST}/read`)
    vi.spyOn(request.headers, 'get').mockReturnValue(header)
    await app.request(request)
    expect(store.calls).toEqual([])
    expect(events).toEqual([])
  })

  test.each([
    '',
    ' ',
    '"',
    'short',
    `${value}A`,
    `${value.slice(1)}B`,
    `"${value}"`,
    `%41${value}`,
    `${value}=`,
    `${value}, ${value}`,
    `${value.slice(1)}é`,
    'x'.repeat(100_000),
  ])('a malformed value costs no store call: %j', async (malformed) => {
    const { app, store, events } = world()
    const request = new Request(`${HOST}/read`)
    vi.spyOn(request.headers, 'get').mockReturnValue(`${name}=${malformed}`)
    const response = await app.request(request)
    expect(response.status).toBe(200)
    expect(store.calls).toEqual([])
    expect(events).toEqual([{ type: 'rejected', reason: 'malformed' }])
  })

  test('a store without isWellFormed is asked for the usual alphabet only', async () => {
    const load = vi.fn(async () => undefined)
    const store: SessionStore = {
      loadSession: load,
      storeSession: async () => undefined,
      destroySession: async () => {},
      clearStore: async () => {},
    }
    const { app } = world({ store })
    for (const odd of ['a b', 'a,b', '"a"', 'x'.repeat(4097), '']) {
      await app.request(`${HOST}/read`, { headers: { Cookie: `${name}=${odd}` } })
    }
    expect(load).not.toHaveBeenCalled()
    await app.request(`${HOST}/read`, { headers: { Cookie: `${name}=a.b_c-1` } })
    expect(load).toHaveBeenCalledWith('a.b_c-1')
  })
})

describe('M11 two middlewares that share a store', () => {
  test('do not accept each other’s values', async () => {
    const store = newStore()
    const app = sealResponses(new Hono<SessionEnv<Data> & SessionEnv<Data, 'admin'>>())
    app.use(session({ store }))
    app.use(session<Data, 'admin'>({ store, name: 'admin' }))
    app.post('/both', (c) => {
      c.var.session.set('who', 'user')
      c.var.admin.set('who', 'admin')
      return c.text('ok')
    })
    app.get('/both', (c) => c.json([c.var.session.get('who'), c.var.admin.get('who')]))
    const ada = new Visitor(app as never)
    await ada.visit('/both', post)
    expect(await ada.text('/both')).toBe('["user","admin"]')
    const user = ada.cookies.get('__Host-session') ?? ''
    const admin = ada.cookies.get('__Host-admin') ?? ''
    ada.cookies.set('__Host-session', admin)
    ada.cookies.set('__Host-admin', user)
    expect(await ada.text('/both')).toBe('[null,null]')
  })

  test('a session stored outside a middleware belongs to the one called session', async () => {
    const { app, store } = world()
    const outside = new Session()
    outside.set('n', 7)
    const value = await store.storeSession(outside)
    const headers = { Cookie: `__Host-session=${value}` }
    expect(await (await app.request(`${HOST}/read`, { headers })).json()).toBe(7)
  })
})

describe('M12 a store that cannot be opened', () => {
  const errorOf = async (thrown: Error): Promise<Error> => {
    let seen = new Error('none')
    const app = sealResponses(new Hono())
    app.use(
      session({
        store: async () => {
          throw thrown
        },
      }),
    )
    app.post('/', (c) => {
      ;(c.get('session' as never) as Session).set('n', 1)
      return c.text('stored')
    })
    app.onError((error, c) => {
      seen = error
      return c.text('failed', 500)
    })
    const response = await app.request('https://shop.example/', { method: 'POST' })
    expect(response.status).toBe(500)
    expect(cookieOf(response)).toBeNull()
    return seen
  }

  test('is a store that failed', async () => {
    const thrown = new Error('connect ECONNREFUSED')
    expect(await errorOf(thrown)).toMatchObject({ code: 'STORE_FAILED', cause: thrown })
  })

  test('for a mistake in the code that makes it is that mistake', async () => {
    const thrown = new TypeError('prefix must be …')
    expect(await errorOf(thrown)).toBe(thrown)
  })
})

describe('M12 a store that fails', () => {
  test('on load is an error, and the cookie stays', async () => {
    const { store, ada } = world()
    await write(ada)
    const cookie = ada.cookie
    store.failNext('loadSession')
    const response = await ada.visit('/write', post)
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('STORE_FAILED')
    expect(cookieOf(response)).toBeNull()
    expect(methods(store)).toEqual(['storeSession', 'loadSession'])
    expect(ada.cookie).toBe(cookie)
    expect(await ada.text('/read')).toBe('1')
  })

  test('on store is an error, with nothing of the success that was prepared', async () => {
    const { app, store, ada } = world()
    app.post('/pay', (c) => {
      c.var.session.set('paid', true)
      c.header('Location', '/thanks')
      c.header('Content-Length', '4')
      return c.text('paid', 303)
    })
    store.failNext('storeSession', new Error('disk full'))
    const response = await ada.visit('/pay', post)
    expect(response.status).toBe(500)
    expect(await response.text()).toBe('STORE_FAILED')
    expect(response.headers.get('Location')).toBeNull()
    expect(response.headers.get('Cache-Control')).toBe('private')
    expect(cookieOf(response)).toBeNull()
  })

  test('on destroy is an error, and nobody is signed out', async () => {
    const { store, ada } = world()
    await write(ada)
    store.failNext('destroySession')
    const response = await ada.visit('/destroy', post)
    expect(response.status).toBe(500)
    expect(cookieOf(response)).toBeNull()
    expect(await ada.text('/read')).toBe('1')
  })

  test('keeps the backend’s error as cause', async () => {
    const { app, store, ada } = world()
    let seen: Error | undefined
    app.onError((error, c) => {
      seen = error
      return c.text('failed', 500)
    })
    const cause = new Error('connection refused')
    store.failNext('storeSession', cause)
    await write(ada)
    expect(seen).toMatchObject({ code: 'STORE_FAILED', cause })
  })
})

describe('M13 the write', () => {
  test('is finished before the response is returned, and handed to waitUntil', async () => {
    const { app, store } = world()
    const stall = store.stallNext('storeSession')
    const waitUntil = vi.fn()
    const ctx = { waitUntil, passThroughOnException: () => {}, props: {} }
    let returned = false
    const response = Promise.resolve(app.request(`${HOST}/write`, post, {}, ctx as never)).then(
      (answer) => {
        returned = true
        return answer
      },
    )
    await stall.reached
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(returned).toBe(false)
    expect(waitUntil).toHaveBeenCalledOnce()
    stall.release()
    expect(cookieOf(await response)).toMatch(SHAPE)
    await expect(waitUntil.mock.calls[0]?.[0]).resolves.toBeUndefined()
  })

  test('that fails does not make waitUntil reject', async () => {
    const { app, store } = world()
    store.failNext('storeSession')
    const waitUntil = vi.fn()
    const ctx = { waitUntil, passThroughOnException: () => {}, props: {} }
    await app.request(`${HOST}/write`, post, {}, ctx as never)
    await expect(waitUntil.mock.calls[0]?.[0]).resolves.toBeUndefined()
  })
})

describe('M14 rolling', () => {
  test('use extends record and cookie together, at most once per touchAfter', async () => {
    const { store, ada } = world({ idleTimeout: 1000, touchAfter: 100 })
    await write(ada)
    const stored = (): number => methods(store).filter((method) => method === 'storeSession').length
    clock.advance(99)
    expect(cookieOf(await ada.visit('/read'))).toBeNull()
    expect(stored()).toBe(1)
    clock.advance(1)
    expect(cookieOf(await ada.visit('/read'))).toContain('Max-Age=1000;')
    expect(stored()).toBe(2)
    expect(cookieOf(await ada.visit('/read'))).toBeNull()
    clock.advance(999)
    expect(await ada.text('/read')).toBe('1')
    clock.advance(1000)
    expect(await ada.text('/read')).toBe('null')
  })

  test('a write within touchAfter moves neither', async () => {
    const { ada } = world({ idleTimeout: 1000, touchAfter: 100 })
    await write(ada)
    clock.advance(50)
    expect(cookieOf(await write(ada))).toBeNull()
    clock.advance(950)
    expect(await ada.text('/read')).toBe('null')
  })

  test('the default touchAfter is a tenth of the idle timeout, also of a session’s own', async () => {
    const { app, ada } = world({ idleTimeout: 1000 })
    app.post('/short', (c) => {
      c.var.session.expireIn(60)
      return c.text('ok')
    })
    expect(cookieOf(await ada.visit('/short', post))).toContain('Max-Age=60;')
    clock.advance(5)
    expect(cookieOf(await ada.visit('/read'))).toBeNull()
    clock.advance(1)
    expect(cookieOf(await ada.visit('/read'))).toContain('Max-Age=60;')
  })

  test('never goes past the absolute timeout, also not by rotation, expireIn or setExpiry', async () => {
    const { app, ada } = world({ idleTimeout: 100, absoluteTimeout: 250, touchAfter: 0 })
    app.post('/far', (c) => {
      c.var.session.expireIn(10_000)
      return c.text('ok')
    })
    app.post('/fixed', (c) => {
      c.var.session.setExpiry(new Date(Date.now() + 10_000_000))
      return c.text('ok')
    })
    await write(ada)
    for (const [path, left] of [
      ['/regenerate', 100],
      ['/far', 90],
      ['/fixed', undefined],
    ] as const) {
      clock.advance(80)
      const line = cookieOf(await ada.visit(path, post))
      if (left) expect(line).toContain(`Max-Age=${left};`)
      else expect(line).toBeNull()
    }
    clock.advance(9)
    expect(await ada.text('/read')).toBe('1')
    clock.advance(1)
    expect(await ada.text('/read')).toBe('null')
  })

  test('a visitor who stays active lives until the absolute timeout, however coarse touchAfter is', async () => {
    const { ada } = world({ idleTimeout: 100, absoluteTimeout: 250, touchAfter: 40 })
    await write(ada)
    for (let second = 10; second < 250; second += 10) {
      clock.advance(10)
      expect(await ada.text('/read')).toBe('1')
    }
    clock.advance(10)
    expect(await ada.text('/read')).toBe('null')
  })

  test('signing in starts the absolute timeout again', async () => {
    const { app, ada } = world({ idleTimeout: false, absoluteTimeout: 100 })
    app.post('/sign-in', (c) => {
      c.var.session.signIn('ada', { keep: ['n'] })
      return c.text('ok')
    })
    await write(ada)
    clock.advance(90)
    expect(cookieOf(await ada.visit('/sign-in', post))).toContain('Max-Age=100;')
    clock.advance(90)
    expect(await ada.text('/read')).toBe('1')
  })

  test('a shorter absolute timeout after a deployment holds for sessions that are there', async () => {
    const store = newStore()
    const before = world({ store })
    await write(before.ada)
    const value = before.ada.cookies.get('__Host-session') ?? ''
    const after = world({ store, absoluteTimeout: 3600 })
    after.ada.cookies.set('__Host-session', value)
    clock.advance(3599)
    expect(await after.ada.text('/read')).toBe('1')
    clock.advance(1)
    expect(await after.ada.text('/read')).toBe('null')
    expect(after.events.at(-1)).toEqual({ type: 'rejected', reason: 'unknown' })
  })

  test('without timeouts there is no expiry, and the cookie lives 400 days', async () => {
    const { app, ada } = world({ idleTimeout: false, absoluteTimeout: false })
    app.get('/expiry', (c) => c.json(c.var.session.expiry ?? 'never'))
    expect(cookieOf(await write(ada))).toContain('Max-Age=34560000;')
    clock.advance(10 * 365 * DAY)
    expect(await ada.text('/expiry')).toBe('"never"')
  })

  test('touchAfter 0 extends at every request', async () => {
    const { ada } = world({ touchAfter: 0 })
    await write(ada)
    for (let i = 0; i < 3; i++) expect(cookieOf(await ada.visit('/read'))).toMatch(SHAPE)
  })
})

describe('M15 a handler that throws', () => {
  function failing(options: Partial<SessionOptions> = {}): World {
    const it = world(options)
    const { app } = it
    app.onError((error, c) =>
      error instanceof HTTPException ? error.getResponse() : c.text('failed', 500),
    )
    const fail = (act: (c: Context<Env>) => unknown) => async (c: Context<Env>) => {
      await act(c)
      throw new Error('failed')
    }
    app.post(
      '/fail/set',
      fail((c) => c.var.session.set('n', 99)),
    )
    app.post(
      '/fail/regenerate',
      fail((c) => c.var.session.regenerate()),
    )
    app.post(
      '/fail/sign-in',
      fail((c) => c.var.session.signIn('ada')),
    )
    app.post(
      '/fail/destroy',
      fail((c) => c.var.session.destroy()),
    )
    app.post(
      '/fail/save',
      fail(async (c) => {
        await c.var.session.save((s) => s.set('saved', true))
        c.var.session.set('lost', true)
      }),
    )
    app.post(
      '/fail/destroy-and-begin',
      fail((c) => {
        c.var.session.destroy()
        c.var.session.set('n', 5)
      }),
    )
    app.post('/fail/not-an-error', (c) => {
      c.var.session.destroy()
      throw 'a string'
    })
    app.post('/forbid', (c) => {
      c.var.session.flash('notice', 'No')
      throw new HTTPException(403, { message: 'no' })
    })
    app.post('/unavailable', (c) => {
      c.var.session.set('n', 98)
      throw new HTTPException(503)
    })
    app.post('/returns-500', (c) => {
      c.var.session.set('n', 97)
      return c.text('oops', 500)
    })
    app.get('/keys', (c) => c.json([...c.var.session.keys()]))
    app.get('/notice', (c) => c.json(c.var.session.get('notice') ?? null))
    return it
  }

  test.each(['set', 'regenerate', 'sign-in'])('and ends in a 5xx stores no %s', async (act) => {
    const { store, ada } = failing()
    await write(ada)
    const calls = store.calls.length
    const response = await ada.visit(`/fail/${act}`, post)
    expect(response.status).toBe(500)
    expect(cookieOf(response)).toBeNull()
    expect(store.calls).toHaveLength(calls + 1)
    expect(await ada.text('/read')).toBe('1')
    expect((await ada.visit('/unavailable', post)).status).toBe(503)
    expect(await ada.text('/read')).toBe('1')
  })

  test('leaves no session behind for a visitor who had none', async () => {
    const { store, ada } = failing()
    const response = await ada.visit('/fail/set', post)
    expect(cookieOf(response)).toBeNull()
    expect(store.calls).toEqual([])
  })

  test.each(['destroy', 'destroy-and-begin'])('still ends the session: %s', async (act) => {
    const { ada } = failing()
    await write(ada)
    const copy = ada.copy()
    const response = await ada.visit(`/fail/${act}`, post)
    expect(response.status).toBe(500)
    expect(ada.cookies.size).toBe(0)
    expect(await copy.text('/read')).toBe('null')
  })

  test('something that is no Error still ends the session', async () => {
    const { ada } = failing()
    await write(ada)
    const copy = ada.copy()
    await expect(ada.visit('/fail/not-an-error', post)).rejects.toBe('a string')
    expect(await copy.text('/read')).toBe('null')
  })

  test('keeps what save() stored before, and sends its cookie', async () => {
    const { ada } = failing()
    const response = await ada.visit('/fail/save', post)
    expect(response.status).toBe(500)
    expect(cookieOf(response)).toMatch(SHAPE)
    expect(await ada.text('/keys')).toBe('["saved"]')
  })

  test('an HTTPException below 500 and a returned 500 are stored', async () => {
    const { ada } = failing()
    expect((await ada.visit('/forbid', post)).status).toBe(403)
    expect(await ada.text('/notice')).toBe('"No"')
    expect((await ada.visit('/returns-500', post)).status).toBe(500)
    expect(await ada.text('/read')).toBe('97')
  })

  test('with saveOnError it is stored', async () => {
    const { ada } = failing({ saveOnError: true })
    expect(cookieOf(await ada.visit('/fail/set', post))).toMatch(SHAPE)
    expect(await ada.text('/read')).toBe('99')
  })
})

describe('M16 the cookie goes onto whatever response goes out', () => {
  const responses: [string, (c: Context<Env>) => Response | Promise<Response>, number][] = [
    ['new Response', () => new Response('raw', { headers: { 'X-Mine': '1' } }), 200],
    ['Response.redirect', () => Response.redirect(`${HOST}/next`, 302), 302],
    ['c.redirect', (c) => c.redirect('/next'), 302],
    ['c.body of null', (c) => c.body(null, 204), 204],
    [
      'Response.error-like clone',
      () => new Response('x', { headers: { 'X-Mine': '1' } }).clone(),
      200,
    ],
    [
      'a stream',
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              controller.enqueue(new TextEncoder().encode('streamed'))
              controller.close()
            },
          }),
        ),
      200,
    ],
  ]

  test.each(responses)('%s', async (_what, respond, status) => {
    const { app, ada } = world()
    app.post('/respond', (c) => {
      c.var.session.set('n', 1)
      return respond(c)
    })
    const response = await ada.visit('/respond', post)
    expect(response.status).toBe(status)
    expect(cookieOf(response)).toMatch(SHAPE)
    if (_what === 'new Response') expect(response.headers.get('X-Mine')).toBe('1')
    expect(await ada.text('/read')).toBe('1')
  })

  test('a response with immutable headers', async () => {
    const { app, ada } = world()
    app.post('/fetched', async (c) => {
      c.var.session.set('n', 1)
      const fetched = await exports.default.fetch('http://localhost:8787/')
      expect(() => fetched.headers.set('X-Mine', '1')).toThrow(TypeError)
      return fetched
    })
    const response = await ada.visit('/fetched', post)
    expect(cookieOf(response)).toMatch(SHAPE)
    expect(await response.text()).toContain('<h1>isolate-session</h1>')
    expect(response.headers.get('Content-Type')).toContain('text/html')
  })

  test('an HTTPException with a response of its own', async () => {
    const { app, ada } = world()
    app.post('/login-required', (c) => {
      c.var.session.flash('notice', 'Log in')
      throw new HTTPException(302, { res: Response.redirect(`${HOST}/login`, 302) })
    })
    app.onError((error, c) =>
      error instanceof HTTPException ? error.getResponse() : c.text('failed', 500),
    )
    const response = await ada.visit('/login-required', post)
    expect(response.status).toBe(302)
    expect(response.headers.get('Location')).toBe(`${HOST}/login`)
    expect(cookieOf(response)).toMatch(SHAPE)
  })

  test('a 101 upgrade, whose webSocket is kept', async () => {
    const { app, ada } = world()
    app.get('/socket', (c) => {
      c.var.session.set('n', 1)
      const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket]
      server.accept()
      return new Response(null, { status: 101, webSocket: client })
    })
    const response = await ada.visit('/socket', { headers: { Upgrade: 'websocket' } })
    expect(response.status).toBe(101)
    expect(response.webSocket).toBeTruthy()
    expect(cookieOf(response)).toMatch(SHAPE)
    response.webSocket?.accept()
    response.webSocket?.close()
  })

  test('a mounted app, with one cookie also when it has the same middleware', async () => {
    const store = newStore()
    const inner = sealResponses(new Hono<Env>())
    inner.use(session({ store }))
    inner.post('/write', (c) => {
      c.var.session.set('inner', true)
      return c.text('ok')
    })
    const { app } = world({ store })
    app.use('/outer/*', async (c, next) => {
      c.var.session.set('outer', true)
      await next()
    })
    app.mount('/outer', inner.fetch)
    const response = await app.request(`${HOST}/outer/write`, post)
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  test('a route that is not there', async () => {
    const { app, ada } = world()
    app.use('/missing', async (c, next) => {
      c.var.session.set('n', 1)
      await next()
    })
    const response = await ada.visit('/missing')
    expect(response.status).toBe(404)
    expect(cookieOf(response)).toMatch(SHAPE)
  })
})

describe('M17 caches', () => {
  const headersAfter = async (
    act: (c: Context<Env>) => unknown,
    headers: Record<string, string> = {},
  ): Promise<Headers> => {
    const { app } = world()
    app.get('/page', (c) => {
      act(c)
      return c.text('page', 200, headers)
    })
    return (await app.request(`${HOST}/page`)).headers
  }

  test.each<[string, (c: Context<Env>) => unknown]>([
    ['get', (c) => c.var.session.get('n')],
    ['has', (c) => c.var.session.has('n')],
    ['keys', (c) => c.var.session.keys()],
    ['size', (c) => c.var.session.size],
    ['id', (c) => c.var.session.id],
    ['isNew', (c) => c.var.session.isNew],
    ['isDestroyed', (c) => c.var.session.isDestroyed],
    ['isExpired', (c) => c.var.session.isExpired],
    ['dataChanged', (c) => c.var.session.dataChanged],
    ['createdAt', (c) => c.var.session.createdAt],
    ['expiry', (c) => c.var.session.expiry],
    ['owner', (c) => c.var.session.owner],
    ['delete', (c) => c.var.session.delete('n')],
    ['update', (c) => c.var.session.update('n', (n) => n)],
    ['toJSON', (c) => JSON.stringify(c.var.session)],
  ])('a handler that looks (%s) makes a private page', async (_what, look) => {
    const headers = await headersAfter(look, { 'Cache-Control': 'public, max-age=60' })
    expect(headers.get('Vary')).toBe('Cookie')
    expect(headers.get('Cache-Control')).toBe('private, max-age=60')
  })

  const look = (c: Context<Env>): unknown => c.var.session.get('n')
  test.each([
    [undefined, 'private'],
    ['private', 'private'],
    ['no-store', 'no-store'],
    ['private, no-cache', 'private, no-cache'],
    ['no-cache', 'private, no-cache'],
    ['public', 'private'],
    ['PUBLIC, S-MaxAge=10', 'private'],
    [
      'public, s-maxage=600, max-age=60, stale-while-revalidate=5',
      'private, max-age=60, stale-while-revalidate=5',
    ],
    ['private="set-cookie, x", max-age=5', 'private, max-age=5'],
    ['no-cache="Set-Cookie"', 'private'],
    ['public, no-store', 'no-store'],
  ])('Cache-Control %j becomes %j', async (asked, expected) => {
    const headers = await headersAfter(look, asked === undefined ? {} : { 'Cache-Control': asked })
    expect(headers.get('Cache-Control')).toBe(expected)
  })

  test('what addresses shared caches is overridden', async () => {
    const headers = await headersAfter(look, {
      'CDN-Cache-Control': 'max-age=600',
      'Cloudflare-CDN-Cache-Control': 'max-age=600',
    })
    expect(headers.get('CDN-Cache-Control')).toBeNull()
    expect(headers.get('Cloudflare-CDN-Cache-Control')).toBeNull()
  })

  test.each([
    ['Accept', 'Accept, Cookie'],
    ['cookie', 'cookie'],
    ['Accept, COOKIE', 'Accept, COOKIE'],
    ['*', '*'],
    ['X-Cookie', 'X-Cookie, Cookie'],
  ])('Vary %j becomes %j', async (asked, expected) => {
    expect((await headersAfter(look, { Vary: asked })).get('Vary')).toBe(expected)
  })

  test('a response with a cookie is not stored at all', async () => {
    const headers = await headersAfter((c) => c.var.session.set('n', 1), {
      'Cache-Control': 'public, max-age=60',
      'CDN-Cache-Control': 'max-age=600',
    })
    expect(headers.get('Cache-Control')).toBe('no-store')
    expect(headers.get('CDN-Cache-Control')).toBeNull()
    expect(headers.get('Vary')).toBe('Cookie')
  })

  test('a page that touches nothing stays cacheable, also for a visitor with a session', async () => {
    const { app, ada } = world()
    app.get('/public', (c) => c.text('page', 200, { 'Cache-Control': 'public, max-age=60' }))
    await write(ada)
    const { headers } = await ada.visit('/public')
    expect(headers.get('Cache-Control')).toBe('public, max-age=60')
    expect(headers.get('Vary')).toBeNull()
  })
})

describe('M18 mounted twice', () => {
  test('the inner one does nothing', async () => {
    const { app, store } = world()
    const other = newStore()
    app.use('/sub/*', session({ store: other }))
    app.post('/sub/write', (c) => {
      c.var.session.set('n', 1)
      return c.text('ok')
    })
    const response = await app.request(`${HOST}/sub/write`, post)
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(methods(store)).toEqual(['storeSession'])
    expect(await other.count()).toBe(0)
  })
})

describe('M19 a session that ended while the request was running', () => {
  test('is no error for the client: the changes are dropped, no cookie is sent', async () => {
    const { app, store, events, ada } = world()
    app.post('/slow', async (c) => {
      const copy = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
      if (copy) await store.destroySession(copy)
      c.var.session.set('n', 2)
      return c.text('done')
    })
    await write(ada)
    const { id } = events[0] as { id: string }
    const response = await ada.visit('/slow', post)
    expect(await response.text()).toBe('done')
    expect(cookieOf(response)).toBeNull()
    expect(events.at(-1)).toEqual({ type: 'gone', id })
    expect(await ada.text('/read')).toBe('null')
  })
})

describe('M20 options that are known per request', () => {
  test('a store can be a function of the context, asked once in a request that needs it', async () => {
    const backing = newStore()
    const store = vi.fn(async (c: Context) => {
      expect(c.req.path).toBeTruthy()
      return backing
    })
    const { ada } = world({ store })
    await ada.visit('/untouched')
    expect(store).not.toHaveBeenCalled()
    await write(ada)
    await write(ada)
    expect(store).toHaveBeenCalledTimes(2)
    expect(await ada.text('/read')).toBe('2')
  })

  test('two requests at once do not see each other', async () => {
    const { app } = world()
    const gate = Promise.withResolvers<void>()
    app.post('/who/:name', async (c) => {
      c.var.session.set('name', c.req.param('name'))
      if (c.req.param('name') === 'ada') await gate.promise
      else gate.resolve()
      return c.json(c.var.session.get('name'))
    })
    const [ada, bob] = [new Visitor(app as never), new Visitor(app as never)]
    const answers = await Promise.all([ada.text('/who/ada', post), bob.text('/who/bob', post)])
    expect(answers).toEqual(['"ada"', '"bob"'])
    expect(ada.cookie).not.toBe(bob.cookie)
  })
})

describe('M21 events', () => {
  test('tell the life of a session by ids', async () => {
    const { events, ada } = world()
    await write(ada)
    await ada.visit('/regenerate', post)
    await ada.visit('/destroy', post)
    const types = events.map(({ type }) => type)
    expect(types).toEqual(['created', 'regenerated', 'destroyed'])
    const [created, regenerated, destroyed] = events as { id: string }[]
    expect(created?.id).toMatch(/^[\w-]{43}$/)
    expect(regenerated?.id).not.toBe(created?.id)
    expect(destroyed?.id).toBe(regenerated?.id)
  })

  test('tell of a conflict that was settled', async () => {
    const { app, store, events, ada } = world()
    app.post('/overtaken', async (c) => {
      const other = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
      other?.set('other', true)
      if (other) await store.storeSession(other)
      c.var.session.set('n', 5)
      return c.text('ok')
    })
    await write(ada)
    await ada.visit('/overtaken', post)
    const { id } = events[0] as { id: string }
    expect(events.at(-1)).toEqual({ type: 'conflict', id, attempts: 2 })
  })

  test('a callback that throws or rejects does not break the request', async () => {
    for (const onEvent of [
      () => {
        throw new Error('logger down')
      },
      async () => {
        throw new Error('logger down')
      },
    ]) {
      const { ada } = world({ onEvent })
      expect((await write(ada)).status).toBe(200)
      expect(ada.cookies.size).toBe(1)
    }
  })

  test('hold no cookie value', async () => {
    const { events, ada } = world()
    const values: string[] = []
    for (const path of ['/write', '/regenerate', '/destroy']) {
      await ada.visit(path, post)
      values.push(...ada.cookies.values())
    }
    for (const value of values) expect(JSON.stringify(events)).not.toContain(value)
  })
})

describe('S5 an update that refuses', () => {
  test('when it runs again on what another request has stored, is answered with its own error', async () => {
    const { app, store, ada } = world()
    app.onError((error, c) =>
      error instanceof HTTPException ? error.getResponse() : c.text(error.name, 500),
    )
    app.post('/buy', async (c) => {
      const other = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
      other?.set('n', 0)
      if (other) await store.storeSession(other)
      c.var.session.update('n', (n) => {
        if (Number(n) <= 0) throw new HTTPException(409, { message: 'sold out' })
        return Number(n) - 1
      })
      return c.text('bought')
    })
    await write(ada)
    const response = await ada.visit('/buy', post)
    expect([response.status, await response.text()]).toEqual([409, 'sold out'])
    expect(await ada.text('/read')).toBe('0')
  })
})

describe('T2 a store function that gives no store', () => {
  test.each([
    ['nothing', () => undefined],
    ['a promise of nothing', async () => null],
    ['a class', () => MemoryStore],
    ['a plain object', () => ({ get: () => undefined })],
  ])('%s: the request fails with a sentence that says what to return', async (_what, store) => {
    const errors: Error[] = []
    const { app, ada } = world({ store: store as never })
    app.onError((error, c) => {
      errors.push(error)
      return c.text('failed', 500)
    })
    expect((await write(ada)).status).toBe(500)
    expect(errors[0]).toBeInstanceOf(TypeError)
    expect(errors[0]?.message).toContain('the store function gave no session store')
  })
})

describe('S6 a flash and requests that nobody looks at', () => {
  test.each([
    ['a HEAD request', { method: 'HEAD' }],
    ['a prefetch', { headers: { 'Sec-Purpose': 'prefetch;prerender' } }],
    ['a prefetch of older browsers', { headers: { Purpose: 'prefetch' } }],
  ])('%s reads it and leaves it for the visitor', async (_what, init) => {
    const { app, store, ada } = world()
    app.post('/leave', (c) => {
      c.var.session.flash('notice', 'Saved')
      return c.text('ok')
    })
    app.get('/notice', (c) => c.text(String(c.var.session.get('notice'))))
    await ada.visit('/leave', post)
    expect((await ada.visit('/notice', init)).status).toBe(200)
    expect(methods(store).filter((method) => method === 'storeSession')).toHaveLength(1)
    expect(await ada.text('/notice')).toBe('Saved')
    expect(await ada.text('/notice')).toBe('undefined')
  })
})

describe('S11 save()', () => {
  test('stores now, and the cookie goes out with the response', async () => {
    const { app, store, ada } = world()
    app.post('/save', async (c) => {
      await c.var.session.save((s) => s.set('n', 1))
      expect(methods(store)).toEqual(['storeSession'])
      expect(c.var.session.id).toMatch(/^[\w-]{43}$/)
      await c.var.session.save()
      return c.text('ok')
    })
    expect(cookieOf(await ada.visit('/save', post))).toMatch(SHAPE)
    // With nothing to store the store is asked all the same.
    expect(methods(store)).toEqual(['storeSession', 'reloadSession'])
    expect(await ada.text('/read')).toBe('1')
  })

  test('afterwards get shows what was stored', async () => {
    const { app, store, ada } = world()
    app.post('/save', async (c) => {
      const other = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
      other?.update('n', (n) => Number(n) + 10)
      if (other) await store.storeSession(other)
      c.var.session.update('n', (n) => Number(n) + 1)
      expect(c.var.session.get('n')).toBe(2)
      await c.var.session.save()
      return c.json(c.var.session.get('n'))
    })
    await write(ada)
    expect(await ada.text('/save', post)).toBe('12')
  })

  test('rejects with SESSION_GONE when the session has ended', async () => {
    const { app, store, ada } = world()
    app.post('/save', async (c) => {
      const other = await store.loadSession(ada.cookies.get('__Host-session') ?? '')
      if (other) await store.destroySession(other)
      await c.var.session.save((s) => s.set('n', 5))
      return c.text('never')
    })
    await write(ada)
    expect(await ada.text('/save', post)).toBe('SESSION_GONE')
  })

  test('one that is not awaited is still stored once and before the response', async () => {
    const { app, store, ada } = world()
    app.post('/hasty', (c) => {
      void c.var.session.save((s) => s.set('a', 1))
      void c.var.session.save((s) => s.set('b', 2))
      c.var.session.set('c', 3)
      return c.text('ok')
    })
    app.get('/keys', (c) => c.json([...c.var.session.keys()]))
    await ada.visit('/hasty', post)
    expect(await ada.text('/keys')).toBe('["a","b","c"]')
    expect(methods(store)).toEqual(['storeSession', 'reloadSession', 'loadSession'])
  })

  test('what is changed while it is stored is kept for the next time', async () => {
    const { app, store, ada } = world()
    app.post('/meanwhile', async (c) => {
      const stall = store.stallNext('storeSession')
      const saved = c.var.session.save((s) => s.set('a', 1))
      await stall.reached
      c.var.session.set('b', 2)
      stall.release()
      await saved
      expect(c.var.session.dataChanged).toBe(true)
      return c.text('ok')
    })
    app.get('/keys', (c) => c.json([...c.var.session.keys()]))
    await ada.visit('/meanwhile', post)
    expect(await ada.text('/keys')).toBe('["a","b"]')
  })
})

describe('S12 after the response is settled', () => {
  interface Late extends World {
    /** The session of a request that is over, as a stream or a WebSocket would still hold it. */
    settled: (path: string) => Promise<Session<Data>>
  }

  function lateWorld(options: Partial<SessionOptions> = {}): Late {
    const it = world(options)
    const { app, ada } = it
    let kept: Session<Data> | undefined
    const keep = (path: string, act: (s: Session<Data>) => void): void => {
      app.post(path, (c) => {
        kept = c.var.session
        act(kept)
        return c.text('ok')
      })
    }
    keep('/late/nothing', () => {})
    keep('/late/write', (s) => s.set('n', 1))
    keep('/late/flash', (s) => s.flash('notice', 'Hi'))
    keep('/late/sign-out', (s) => s.destroy())
    app.get('/notice', (c) => c.text(String(c.var.session.get('notice'))))
    const settled = async (path: string): Promise<Session<Data>> => {
      await ada.visit(`/late${path}`, post)
      return kept ?? expect.fail('no session')
    }
    return { ...it, settled }
  }

  const committed = expect.objectContaining({ code: 'SESSION_COMMITTED' })

  test('every mutator throws', async () => {
    const late = await lateWorld().settled('/write')
    const mutators: (() => unknown)[] = [
      () => late.set('n', 2),
      () => late.update('n', () => 2),
      () => late.delete('n'),
      () => late.clear(),
      () => late.flash('notice', 'x'),
      () => late.regenerate(),
      () => late.signIn('ada'),
      () => late.destroy(),
      () => late.expireIn(60),
      () => late.setExpiry(new Date(Date.now() + 1000)),
    ]
    for (const mutate of mutators) expect(mutate).toThrow(committed)
    expect(late.get('n')).toBe(1)
  })

  test('save(change) still works for a session whose cookie the browser has', async () => {
    const it = lateWorld()
    const late = await it.settled('/write')
    await late.save((s) => s.set('n', 42))
    expect(await it.ada.text('/read')).toBe('42')
    await late.save((s) => s.destroy())
    expect(await it.ada.text('/read')).toBe('null')
  })

  test('save(change) does not run ahead of the cookie’s expiry', async () => {
    const it = lateWorld({ idleTimeout: 1000 })
    const late = await it.settled('/write')
    const { expiry } = late
    clock.advance(900)
    await late.save((s) => s.set('n', 2))
    expect(late.expiry).toEqual(expiry)
  })

  test('save(change) throws for a session whose cookie never went out, and for what needs a new one', async () => {
    const it = lateWorld()
    const anonymous = await it.settled('/nothing')
    await expect(anonymous.save((s) => s.set('n', 1))).rejects.toEqual(committed)
    const late = await it.settled('/write')
    await expect(late.save((s) => s.regenerate())).rejects.toEqual(committed)
    await expect(late.save((s) => s.signIn('ada'))).rejects.toEqual(committed)
    expect(await it.ada.text('/read')).toBe('1')
    await expect(
      late.save((s) => {
        s.destroy()
        s.set('n', 1)
      }),
    ).rejects.toEqual(committed)
    const signedOut = await it.settled('/sign-out')
    await expect(signedOut.save((s) => s.set('n', 1))).rejects.toEqual(committed)
  })

  test('a late get of a flash reads it without taking it', async () => {
    const it = lateWorld()
    const late = await it.settled('/flash')
    expect(late.get('notice')).toBe('Hi')
    expect(late.get('notice')).toBe('Hi')
    expect(await it.ada.text('/notice')).toBe('Hi')
    expect(await it.ada.text('/notice')).toBe('undefined')
  })
})

describe('S13 nothing leaks', () => {
  test('inspection of a session shows neither its value nor its data', async () => {
    const { app, ada } = world()
    let seen = ''
    app.post('/inspect', async (c) => {
      await c.var.session.save((s) => s.set('secret', 'data'))
      const log = vi.spyOn(console, 'log').mockImplementation((...args) => {
        seen += args.map(
          (arg) => `${String(arg)} ${JSON.stringify(arg)} ${Object.getOwnPropertyNames(arg)}`,
        )
      })
      console.log(c.var.session)
      log.mockRestore()
      return c.text('ok')
    })
    await ada.visit('/inspect', post)
    expect(seen).not.toContain(ada.cookies.get('__Host-session'))
    expect(seen).not.toContain('data"')
  })
})
