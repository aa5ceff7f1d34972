import { Hono, type MiddlewareHandler } from 'hono'
import { every } from 'hono/combine'
import { HTTPException } from 'hono/http-exception'
import { methodOverride } from 'hono/method-override'
import { streamText } from 'hono/streaming'
import { describe, expect, test } from 'vitest'
import {
  CookieStore,
  MemoryStore,
  type Session,
  type SessionEnv,
  type SessionOptions,
  type SessionStore,
  session,
} from '../src/index.ts'
import { FaultyStore } from '../src/testing.ts'
import { useClock } from './support/clock.ts'
import { makeSecret } from './support/secret.ts'
import { Visitor } from './support/visitor.ts'

// Other people's code around a session: guards that throw, stores that lie, habits from other libraries.

type Data = Record<string, unknown>
type Env = SessionEnv<Data>
type App = Hono<Env>

const clock = useClock()
const post = { method: 'POST' }
const newStore = (): MemoryStore => new MemoryStore({ name: crypto.randomUUID(), warn: false })
const cookieOf = (response: Response): string | null => response.headers.get('Set-Cookie')

function appWith(options: Partial<SessionOptions> = {}): App {
  const app: App = new Hono()
  app.use(session<Data>({ store: newStore(), ...options }))
  app.post('/write', (c) => {
    c.var.session.update('n', (n) => Number(n ?? 0) + 1)
    return c.text('ok')
  })
  app.get('/read', (c) => c.text(`${c.var.session.get('n')} ${c.var.session.owner}`))
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : c.text(error.message, 500),
  )
  return app
}

const visitorOf = (app: App): Visitor => new Visitor(app as never)

/** Runs a handler on the session of a request, and gives the answer. */
async function inRequest(
  change: (session: Session<Data>) => unknown,
  options?: Partial<SessionOptions>,
): Promise<{ ada: Visitor; response: Response }> {
  const app = appWith(options)
  app.post('/', async (c) => c.text(String(await change(c.var.session))))
  const ada = visitorOf(app)
  await ada.visit('/write', post)
  return { ada, response: await ada.visit('/', post) }
}

describe('M6 a run of the middleware inside another', () => {
  test.each([
    ['MemoryStore', newStore],
    ['CookieStore', () => new CookieStore({ secrets: makeSecret() })],
  ])('does not lose its sign-out to an extension of the outer one: %s', async (_name, make) => {
    const app: App = new Hono()
    app.use(session<Data>({ store: make() }), methodOverride({ app }))
    app.post('/write', (c) => {
      c.var.session.set('n', 1)
      return c.text('ok')
    })
    app.delete('/session', (c) => {
      c.var.session.destroy()
      return c.redirect('/', 303)
    })
    const ada = visitorOf(app)
    await ada.visit('/write', post)
    clock.advance(20_000)
    const body = new URLSearchParams({ _method: 'DELETE' })
    const response = await ada.visit('/session', { method: 'POST', body })
    expect(response.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=0')])
    expect(ada.cookies.size).toBe(0)
  })
})

describe('M15 what is thrown past us', () => {
  function guarded(guard: MiddlewareHandler<Env>, store = newStore()): App {
    const app: App = new Hono()
    app.use(every(session<Data>({ store }), guard))
    app.onError((error) =>
      error instanceof HTTPException
        ? error.getResponse()
        : new Response('failed', { status: 500 }),
    )
    return app.get('*', (c) => c.text(String(c.var.session.get('notice'))))
  }

  test('a guard that throws 401 counts its tries', async () => {
    const tries: number[] = []
    const app = guarded((c) => {
      c.var.session.update('tries', (n) => Number(n ?? 0) + 1)
      tries.push(Number(c.var.session.get('tries')))
      throw new HTTPException(401)
    })
    const ada = visitorOf(app)
    const first = await ada.visit('/')
    expect(first.headers.get('Cache-Control')).toBe('no-store')
    await ada.visit('/')
    const third = await ada.visit('/')
    expect(third.headers.get('Cache-Control')).toBe('private')
    expect(tries).toEqual([1, 2, 3])
  })

  test.each([
    [true, 'no-store'],
    [false, 'private'],
  ])(
    'a page that onError makes of it is for nobody else (with a cookie: %s)',
    async (writes, expected) => {
      const app = guarded((c) => {
        c.var.session.get('tries')
        if (writes) c.var.session.set('tries', 1)
        throw new HTTPException(403)
      })
      app.onError((_error, c) => c.text('no', 403))
      const response = await visitorOf(app).visit('/')
      expect(cookieOf(response) !== null).toBe(writes)
      expect(response.headers.get('Cache-Control')).toBe(expected)
      expect(response.headers.get('Vary')).toBe('Cookie')
    },
  )

  test('a flash that goes with a thrown redirect is there afterwards', async () => {
    const app = guarded(async (c, next) => {
      if (c.req.path !== '/closed') return next()
      c.var.session.flash('notice', 'Closed today')
      throw new HTTPException(303, {
        res: new Response(null, { status: 303, headers: { Location: '/' } }),
      })
    })
    const ada = visitorOf(app)
    expect((await ada.visit('/closed')).status).toBe(303)
    expect(await ada.text('/')).toBe('Closed today')
  })

  test.each([401, 403])('a thrown %d signs nobody in, and keeps the rest', async (status) => {
    const { ada, response } = await inRequest((s) => {
      s.set('n', 9)
      s.signIn('ada', { keep: ['n'] })
      throw new HTTPException(status as 401)
    })
    expect(response.status).toBe(status)
    expect(await ada.text('/read')).toBe('9 undefined')
  })

  test.each([
    [
      'an error with a status that is no HTTPException',
      Object.assign(new Error('no'), { status: 404 }),
    ],
    ['an object with a status', { status: 404, getResponse: () => new Response() }],
    ['a text', 'no'],
  ])('%s, thrown past us, is a request that failed', async (_what, thrown) => {
    const store = newStore()
    const app = guarded((c) => {
      c.var.session.signIn('ada')
      throw thrown
    }, store)
    const answer = visitorOf(app).visit('/')
    // Hono hands what is no Error to whoever called it.
    if (thrown instanceof Error) expect((await answer).status).toBe(500)
    else await expect(answer).rejects.toBe(thrown)
    expect(await store.sessionsOf('ada')).toEqual([])
  })

  test('an error of the app’s own that onError answers with 401 signs nobody in either', async () => {
    const app = appWith()
    app.onError((error, c) => c.text(error.message, 401))
    app.post('/refuse', (c) => {
      c.var.session.signIn('ada')
      throw new Error('no')
    })
    const ada = visitorOf(app)
    const response = await ada.visit('/refuse', post)
    expect([response.status, cookieOf(response)]).toEqual([401, null])
  })

  test('a handler that gives no response has failed', async () => {
    const app = appWith()
    app.post('/nothing', (async (c: { var: { session: Session<Data> } }) => {
      c.var.session.set('n', 9)
    }) as never)
    const response = await visitorOf(app).visit('/nothing', post)
    expect([response.status, cookieOf(response)]).toEqual([500, null])
  })
})

describe('M17 what is streamed', () => {
  test('is private when the session was loaded, though nobody has looked yet', async () => {
    const app = appWith()
    const answered = Promise.withResolvers<void>()
    app.get('/stream', (c) => {
      c.header('Cache-Control', 'public, s-maxage=60')
      return streamText(c, async (stream) => {
        await answered.promise
        await stream.write(String(c.var.session.get('n')))
      })
    })
    const ada = visitorOf(app)
    await ada.visit('/write', post)
    const response = await ada.visit('/stream')
    answered.resolve()
    expect(response.headers.get('Cache-Control')).toBe('private')
    expect(response.headers.get('Vary')).toContain('Cookie')
    expect(await response.text()).toBe('1')
  })

  test.each([
    ['must-understand, no-store, max-age=600', 'no-store, max-age=600'],
    ['no-store="x", max-age=600', 'private, max-age=600'],
    ['public="a, max-age=5', 'private'],
  ])('Cache-Control: %s becomes %s', async (asked, expected) => {
    const app = appWith()
    app.get('/look', (c) => {
      c.header('Cache-Control', asked)
      return c.text(String(c.var.session.get('n')))
    })
    const response = await visitorOf(app).visit('/look')
    expect(response.headers.get('Cache-Control')).toBe(expected)
  })
})

describe('M12 M22 M18 what others do to the context', () => {
  test('M12 when loading fails onError has a session, which cannot be changed', async () => {
    const store = new FaultyStore(newStore())
    const app = appWith({ store })
    const seen: unknown[] = []
    app.onError((_error, c) => {
      const { session } = c.var
      seen.push(session.get('n'), session.isNew)
      expect(() => session.set('n', 1)).toThrow(/cannot be changed/)
      return c.text('sorry', 500)
    })
    const ada = visitorOf(app)
    await ada.visit('/write', post)
    store.failNext('loadSession')
    const response = await ada.visit('/read')
    expect([response.status, cookieOf(response)]).toEqual([500, null])
    expect(seen).toEqual([undefined, true])
  })

  test('M22 the cookie follows the URL that came, whatever others make of c.req.raw', async () => {
    const app: App = new Hono()
    app.use(session<Data>({ store: newStore() }))
    app.use(async (c, next) => {
      c.req.raw = new Request(c.req.url.replace('http:', 'https:'), c.req.raw)
      await next()
    })
    app.get('/', (c) => {
      c.var.session.update('n', (n) => Number(n ?? 0) + 1)
      return c.text(String(c.var.session.get('n')))
    })
    const ada = new Visitor(app as never, 'http://localhost:8787')
    expect([await ada.text('/'), await ada.text('/'), await ada.text('/')]).toEqual(['1', '2', '3'])
    expect([...ada.cookies.keys()]).toEqual(['session'])
  })

  test.each([null, { user: 'eve' }])(
    'M18 a variable that somebody else has set is not replaced: %o',
    async (taken) => {
      const app: App = new Hono()
      app.use(async (c, next) => {
        c.set('session', taken as never)
        await next()
      })
      app.use(session<Data>({ store: newStore() }))
      app.get('/', (c) => c.text(c.get('session') ? 'welcome' : 'nobody'))
      app.onError((error, c) => c.text(error.message, 500))
      const response = await app.request('/')
      expect(response.status).toBe(500)
      expect(await response.text()).toContain("session({ name: 'cart'")
    },
  )
})

describe('T2 a store that lies', () => {
  const lying = (answers: Partial<SessionStore>): SessionStore => {
    const store = newStore()
    return {
      loadSession: (value) => store.loadSession(value),
      storeSession: (it) => store.storeSession(it),
      destroySession: (it) => store.destroySession(it),
      clearStore: () => store.clearStore(),
      ...answers,
    }
  }

  test.each([undefined, null, '', 'a;b', 'ä', 5, 'x'.repeat(5000)])(
    'no cookie %o goes out',
    async (value) => {
      const app = appWith({ store: lying({ storeSession: async () => value as never }) })
      const response = await visitorOf(app).visit('/write', post)
      expect([response.status, cookieOf(response)]).toEqual([500, null])
      expect(await response.text()).toContain('no usable cookie value')
    },
  )

  test.each([{}, 'session', null, 5])('%o is no session', async (loaded) => {
    const app = appWith({ store: lying({ loadSession: async () => loaded as never }) })
    const Cookie = `__Host-session=${'A'.repeat(43)}`
    const response = await app.request('https://shop.example/read', { headers: { Cookie } })
    expect(response.status).toBe(500)
    expect(await response.text()).toContain('no session of its own')
  })
})

describe('M8 a cookie that can never be a session here', () => {
  test.each([
    ['malformed', {}],
    ['wrongly signed', { secrets: makeSecret() }],
  ])('%s: is taken back, once', async (_what, options) => {
    const ada = visitorOf(appWith(options))
    ada.cookies.set('__Host-session', `${'A'.repeat(43)}.nonsense`)
    const response = await ada.visit('/read')
    expect(cookieOf(response)).toMatch(/^__Host-session=;.*Max-Age=0/)
    expect(cookieOf(await ada.visit('/read'))).toBeNull()
  })

  test('malformed: is taken back also where the handler does not look at the session', async () => {
    const app = appWith().get('/nobody-looks', (c) => c.text('ok'))
    const ada = visitorOf(app as never)
    ada.cookies.set('__Host-session', `${'A'.repeat(43)}.nonsense`)
    const response = await ada.visit('/nobody-looks')
    expect(cookieOf(response)).toMatch(/^__Host-session=;.*Max-Age=0/)
  })

  test('unknown: is left alone, another isolate may know it', async () => {
    const ada = visitorOf(appWith())
    ada.cookies.set('__Host-session', 'A'.repeat(43))
    expect(cookieOf(await ada.visit('/read'))).toBeNull()
  })
})

describe('S1 habits of other libraries', () => {
  test.each([
    ['an assignment', (s: Session<Data>) => Object.assign(s, { user: 'ada' })],
    ['a counter', (s: Session<Data>) => ((s as unknown as { visits: number }).visits = 1)],
    ['keep as a string', (s: Session<Data>) => s.signIn('ada', { keep: 'ab' as never })],
    ['keep with numbers', (s: Session<Data>) => s.regenerate({ keep: [1] as never })],
    ['a list for options', (s: Session<Data>) => s.regenerate(['a'] as never)],
    ['a callback', (s: Session<Data>) => (s.destroy as (f: () => void) => void)(() => {})],
    ['another option', (s: Session<Data>) => s.signIn('ada', { keeps: ['a'] } as never)],
    ['an option of signIn', (s: Session<Data>) => s.regenerate({ device: 'Firefox' } as never)],
  ])('throws where it happens: %s', async (_what, change) => {
    const { ada, response } = await inRequest((s) => {
      expect(() => change(s)).toThrow(TypeError)
      return 'thrown'
    })
    expect(await response.text()).toBe('thrown')
    expect(await ada.text('/read')).toBe('1 undefined')
  })
})

describe('S11 S7 S10 what save and signIn promise', () => {
  test.each<[string, (it: Session<Data>) => Promise<void>]>([
    ['a promise', async (it) => it.set('n', 9)],
    // Its error is nobody's any more, and must not end the isolate as an unhandled rejection.
    ['a promise that fails', async () => Promise.reject(new Error('never seen'))],
  ])(
    'S11 save(change) refuses a function that gives %s, and stores nothing',
    async (_what, change) => {
      const { ada, response } = await inRequest((s) => s.save(change as never).catch((e) => e.name))
      expect(await response.text()).toBe('TypeError')
      expect(await ada.text('/read')).toBe('1 undefined')
    },
  )

  test('S11 save() of what is no function says what it takes', async () => {
    const { response } = await inRequest((s) => s.save({} as never).catch((e) => e.message))
    expect(await response.text()).toBe('save() takes a function, or nothing.')
  })

  test.each([
    ['save()', (s: Session<Data>) => s.save()],
    ['save(() => {})', (s: Session<Data>) => s.save(() => {})],
    ['save of what is there', (s: Session<Data>) => s.save((it) => it.set('n', 1))],
  ])('S11 %s on a session that was ended elsewhere is SESSION_GONE', async (_what, save) => {
    const store = newStore()
    const { response } = await inRequest(
      async (s) => {
        await store.clearStore()
        return save(s).then(
          () => 'saved',
          ({ code }) => code,
        )
      },
      { store },
    )
    expect(await response.text()).toBe('SESSION_GONE')
  })

  test('the id is unknown from signIn or regenerate until it is stored', async () => {
    const { response } = await inRequest(async (s) => {
      const ids = [s.id]
      s.signIn('ada')
      ids.push(s.id)
      await s.save()
      ids.push(s.id)
      s.regenerate()
      ids.push(s.id)
      return ids.map((id) => (id === undefined ? '-' : 'id')).join(' ')
    })
    expect(await response.text()).toBe('id - id -')
  })

  test('S10 signIn takes back what another user of this browser had agreed', async () => {
    const { ada, response } = await inRequest((s) => {
      s.expireIn(60)
      s.signIn('ada')
      return (s.expiry?.getTime() ?? 0) - Date.now()
    })
    expect(await response.text()).toBe('86400000')
    expect(cookieOf(response)).toContain('Max-Age=86400')
    clock.advance(120)
    expect(await ada.text('/read')).toContain('ada')
  })

  test('C5 what needs a new cookie after the response throws SESSION_COMMITTED, destroy included', async () => {
    let late: Session<Data> | undefined
    const app = appWith({ store: new CookieStore({ secrets: makeSecret() }) })
    app.post('/late', (c) => {
      late = c.var.session
      return c.text('ok')
    })
    const ada = visitorOf(app)
    await ada.visit('/write', post)
    await ada.visit('/late', post)
    const committed = { code: 'SESSION_COMMITTED' }
    await expect(late?.save((s) => s.destroy())).rejects.toMatchObject(committed)
    await expect(late?.save((s) => s.set('n', 5))).rejects.toMatchObject(committed)
    expect(() => late?.destroy()).toThrow(expect.objectContaining(committed))
  })

  test.each([undefined, null, 5, ['A'.repeat(43)], {}])(
    'T1 loadSession(%o) is no session',
    async (value) => {
      for (const store of [newStore(), new CookieStore({ secrets: makeSecret() })]) {
        expect(await store.loadSession(value as never)).toBeUndefined()
      }
    },
  )
})

test('O3 name limits a call to the sessions of one middleware, and the list says which it is', async () => {
  const store = newStore()
  const app: App = new Hono()
  app.use(session<Data>({ store }))
  app.use(session<Data, 'admin'>({ store, name: 'admin' }) as never)
  app.post('/', (c) => {
    c.var.session.signIn('ada')
    ;(c as unknown as { var: { admin: Session } }).var.admin.signIn('ada')
    return c.text('ok')
  })
  await visitorOf(app).visit('/', post)
  const names = async (options?: { name: string }): Promise<string[]> =>
    (await store.sessionsOf('ada', options)).map(({ name }) => name).sort()
  expect(await names()).toEqual(['admin', 'session'])
  expect(await names({ name: 'admin' })).toEqual(['admin'])
  expect(await store.destroySessionsOf('ada', { name: 'admin' })).toBe(1)
  expect(await names()).toEqual(['session'])
})

describe('M13 waitUntil', () => {
  class SlowStore extends MemoryStore {}
  const secrets = makeSecret()

  test.each<[string, number, () => SessionOptions['store']]>([
    ['is left alone by MemoryStore, which has nothing to cancel', 0, newStore],
    ['is left alone by CookieStore', 0, () => new CookieStore({ secrets })],
    ['is used for a subclass, which may do I/O', 1, () => new SlowStore({ warn: false })],
    ['is used for a store that wraps another', 1, () => new FaultyStore(newStore())],
    ['is used for a store that has to be opened', 1, () => () => newStore()],
  ])('%s', async (_title, calls, makeStore) => {
    let count = 0
    const ctx = { waitUntil: () => count++, passThroughOnException: () => {}, props: {} }
    const app = appWith({ store: makeStore() })
    const response = await app.request('https://x.example/write', post, {}, ctx as never)
    expect(cookieOf(response)).not.toBeNull()
    expect(count).toBe(calls)
  })
})
