import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import playground from '../demo/index.tsx'
import door from '../demo/isolates/door.ts'
import type { Report } from '../demo/report.ts'
import { stores } from '../demo/stores.ts'
import { WORKERS } from '../demo/workers.ts'
import { Visitor } from './support/visitor.ts'

const LOCAL = 'http://localhost:8787'
const visitor = (): Visitor => new Visitor((url, init) => playground.request(url, init, env), LOCAL)

const send = (body?: unknown): RequestInit => ({
  method: 'POST',
  ...(body !== undefined && { body: JSON.stringify(body) }),
})

async function ask(
  who: Visitor,
  path: string,
  init?: RequestInit,
): Promise<Record<string, unknown>> {
  return (await who.visit(path, init)).json()
}

const look = async (who: Visitor): Promise<Record<string, unknown>> =>
  (await ask(who, '/api/memory/session')).session as Record<string, unknown>

describe('the playground', () => {
  test('is one page that touches no session', async () => {
    const response = await visitor().visit('/')
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('<h1>isolate-session</h1>')
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(response.headers.get('Vary')).toBeNull()
  })

  test('shows the session and the isolate, and writes nothing', async () => {
    const ada = visitor()
    const answer = await ask(ada, '/api/memory/session')
    expect(answer).toEqual({
      store: 'memory',
      session: {
        id: null,
        isNew: true,
        createdAt: expect.any(String),
        expiry: null,
        owner: null,
        data: {},
      },
      isolate: {
        id: expect.any(String),
        startedAt: expect.any(String),
        sessions: expect.any(Number),
        bytes: expect.any(Number),
        maxBytes: 33_554_432,
      },
      timeouts: { idleTimeout: 300, absoluteTimeout: 1800, touchAfter: 10 },
      now: expect.any(String),
    })
    expect(ada.cookies.size).toBe(0)
    await ada.visit('/api/memory/flash', send({ message: 'Hi' }))
    const response = await ada.visit('/api/memory/session')
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(await ask(ada, '/api/memory/flash')).toEqual({ message: 'Hi' })
    expect(await ask(ada, '/api/memory/flash')).toEqual({ message: null })
  })

  test('counts fifty visits at once', async () => {
    const ada = visitor()
    expect(await ask(ada, '/api/memory/visits', send())).toEqual({ visits: 1 })
    await Promise.all(Array.from({ length: 49 }, () => ada.text('/api/memory/visits', send())))
    expect((await look(ada)).data).toEqual({ visits: 50 })
  })

  test('sets values', async () => {
    const ada = visitor()
    const answer = await ask(ada, '/api/memory/data', send({ key: 'cart', value: ['tea'] }))
    expect(answer).toEqual({ data: { cart: ['tea'] } })
    expect((await look(ada)).data).toEqual({ cart: ['tea'] })
  })

  test.each(['memory', 'durable-object', 'd1'])(
    'with %s a connection is open until the session ends',
    async (store) => {
      const ada = visitor()
      expect((await ada.visit(`/api/${store}/connection`)).status).toBe(409)
      await ada.visit(`/api/${store}/visits`, send())
      const response = await ada.visit(`/api/${store}/connection`)
      expect(response.headers.get('Content-Type')).toContain('text/event-stream')
      const said = response.text()
      await ada.copy().visit(`/api/${store}/sign-out`, send())
      expect(await said).toMatch(/^event: open[\s\S]*event: ended\ndata: The session has ended/)
    },
  )

  test('remembers for longer who asks for it, until they sign in without', async () => {
    const ada = visitor()
    const signIn = async (body: object): Promise<string | null> =>
      (await ada.visit('/api/memory/sign-in', send(body))).headers.get('Set-Cookie')
    expect(await signIn({ user: 'ada', remember: 'on' })).toContain('Max-Age=900;')
    expect(await signIn({ user: 'ada' })).toContain('Max-Age=300;')
  })

  test('signs in with a new cookie, lists devices, signs out everywhere else, signs out', async () => {
    const user = `ada-${crypto.randomUUID()}`
    const [phone, laptop] = [visitor(), visitor()]
    await phone.visit('/api/memory/visits', send())
    const before = phone.copy()
    const { owner, id } = await ask(phone, '/api/memory/sign-in', send({ user }))
    expect(owner).toBe(user)
    expect(await look(phone)).toMatchObject({ owner: user, id, data: { visits: 1 } })
    expect(await look(before)).toMatchObject({ isNew: true })
    await laptop.visit('/api/memory/sign-in', send({ user }))
    const { devices } = (await ask(laptop, '/api/memory/devices')) as {
      devices: { current: boolean }[]
    }
    expect(devices.filter(({ current }) => current)).toHaveLength(1)
    expect(devices).toHaveLength(2)
    for (const device of devices) {
      expect(device).toMatchObject({
        device: expect.stringContaining(' on '),
        lastUsedAt: expect.stringMatching(/^\d{4}-/),
      })
    }
    expect(await ask(laptop, '/api/memory/sign-out-everywhere', send())).toEqual({ ended: 1 })
    expect(await look(phone)).toMatchObject({ isNew: true })
    const copy = laptop.copy()
    expect(await ask(laptop, '/api/memory/sign-out', send())).toEqual({ signedOut: true })
    expect(laptop.cookies.size).toBe(0)
    expect(await look(copy)).toMatchObject({ isNew: true })
  })

  test('a sign-out stays one, however late a slow request finishes', async () => {
    const ada = visitor()
    await ada.visit('/api/memory/sign-in', send({ user: 'slow-ada' }))
    const copy = ada.copy()
    const body = new TransformStream<Uint8Array, Uint8Array>()
    const writer = body.writable.getWriter()
    const slow = ada.copy().visit('/api/memory/data', { method: 'POST', body: body.readable })
    const bytes = new TextEncoder().encode(JSON.stringify({ key: 'late', value: 1 }))
    await writer.write(bytes.slice(0, 5))
    await ada.visit('/api/memory/sign-out', send())
    await writer.write(bytes.slice(5))
    await writer.close()
    const response = await slow
    expect(response.headers.get('Set-Cookie')).toBeNull()
    expect(await look(copy)).toMatchObject({ isNew: true, owner: null, data: {} })
  })

  test('keeps a session in the cookie as well, beside the other', async () => {
    const ada = visitor()
    await ada.visit('/api/memory/visits', send())
    expect(await ask(ada, '/api/cookie/visits', send())).toEqual({ visits: 1 })
    expect(await ask(ada, '/api/cookie/visits', send())).toEqual({ visits: 2 })
    expect((await look(ada)).data).toEqual({ visits: 1 })
    expect([...ada.cookies.keys()]).toEqual(['session', 'session-cookie'])
    const answer = await ask(ada, '/api/cookie/sign-in', send({ user: 'ada' }))
    expect(answer).toEqual({ owner: 'ada', id: expect.stringMatching(/^[\w-]{43}$/) })
    expect(await ask(ada, '/api/cookie/devices')).toEqual({
      owner: 'ada',
      listed: false,
      devices: [],
    })
    expect(await ask(ada, '/api/cookie/sign-out-everywhere', send())).toEqual({ ended: null })
    const { store, session } = await ask(ada, '/api/cookie/session')
    expect({ store, session }).toMatchObject({
      store: 'cookie',
      session: { owner: 'ada', data: { visits: 2 } },
    })
    await ada.visit('/api/cookie/sign-out', send())
    expect([...ada.cookies.keys()]).toEqual(['session'])
  })

  test.each(['durable-object', 'd1', 'kv', 'caching'])(
    'keeps sessions in %s as well',
    async (store) => {
      const ada = visitor()
      const api = `/api/${store}`
      const user = `ada-${crypto.randomUUID()}`
      expect(await ask(ada, `${api}/visits`, send())).toEqual({ visits: 1 })
      await ada.visit(`${api}/flash`, send({ message: 'Hi' }))
      expect(await ask(ada, `${api}/flash`)).toEqual({ message: 'Hi' })
      expect(await ask(ada, `${api}/flash`)).toEqual({ message: null })
      const { id } = await ask(ada, `${api}/sign-in`, send({ user }))
      const answer = await ask(ada, `${api}/session`)
      expect(answer).toMatchObject({ store, session: { owner: user, id, data: { visits: 1 } } })
      const { devices } = (await ask(ada, `${api}/devices`)) as { devices: object[] }
      expect(devices).toHaveLength(store === 'kv' ? 0 : 1)
      const copy = ada.copy()
      await ada.visit(`${api}/sign-out`, send())
      expect(ada.cookies.size).toBe(0)
      expect((await ask(copy, `${api}/session`)).session).toMatchObject({ isNew: true })
    },
  )

  test('lets a single device go', async () => {
    const user = `ada-${crypto.randomUUID()}`
    const [phone, laptop] = [visitor(), visitor()]
    const { id } = await ask(phone, '/api/memory/sign-in', send({ user }))
    await laptop.visit('/api/memory/sign-in', send({ user }))
    const stranger = visitor()
    await stranger.visit('/api/memory/sign-in', send({ user: `eve-${user}` }))
    const signOut = { method: 'DELETE' }
    expect(await ask(stranger, `/api/memory/devices/${id}`, signOut)).toEqual({ ended: false })
    expect(await look(phone)).toMatchObject({ owner: user })
    expect(await ask(laptop, `/api/memory/devices/${id}`, signOut)).toEqual({ ended: true })
    expect(await ask(laptop, `/api/memory/devices/${id}`, signOut)).toEqual({ ended: false })
    expect(await look(phone)).toMatchObject({ isNew: true })
    expect(await look(laptop)).toMatchObject({ owner: user })
    expect(await ask(visitor(), `/api/memory/devices/${id}`, signOut)).toEqual({ ended: false })
  })

  test.each(['memory', 'durable-object', 'd1', 'caching'])(
    'keeps every update of a race in %s, and loses some of what is set',
    async (store) => {
      const ada = visitor()
      await ada.visit(`/api/${store}/race`, send())
      const race = (way: string) => () => ada.text(`/api/${store}/race/${way}`, send())
      await Promise.all(Array.from({ length: 10 }, race('set')))
      await Promise.all(Array.from({ length: 10 }, race('update')))
      const { data } = (await ask(ada, `/api/${store}/session`)).session as {
        data: { bySet: number; byUpdate: number }
      }
      expect(data.byUpdate).toBe(10)
      expect(data.bySet).toBeLessThan(10)
    },
  )

  test.each<[string, unknown, number]>([
    ['/api/memory/data', undefined, 400],
    ['/api/memory/data', 'text', 400],
    ['/api/memory/data', [], 400],
    ['/api/memory/data', { key: 'a' }, 400],
    ['/api/memory/data', { value: 'a' }, 400],
    ['/api/memory/data', { key: 5, value: 'a' }, 400],
    ['/api/memory/data', { key: '__proto__', value: 'a' }, 400],
    ['/api/memory/data', { key: 'flash', value: 'a' }, 400],
    ['/api/memory/flash', {}, 400],
    ['/api/memory/flash', { message: 5 }, 400],
    ['/api/memory/data', { key: 'bySet', value: 1 }, 400],
    ['/api/memory/expire-in', { seconds: '20' }, 400],
    ['/api/memory/expire-in', { seconds: 0 }, 400],
    ['/api/memory/sign-in', {}, 400],
    ['/api/memory/sign-in', { user: '' }, 400],
    ['/api/memory/sign-in', { user: 'x'.repeat(256) }, 400],
    ['/api/nowhere/visits', {}, 404],
    ['/api/memory/nothing', {}, 404],
    ['/api/constructor/visits', {}, 404],
    ['/api', {}, 404],
  ])('answers %s with %j by %i and an error', async (path, body, status) => {
    const ada = visitor()
    const response = await ada.visit(path, send(body))
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ error: expect.any(String) })
    expect(ada.cookies.size).toBe(0)
  })
})

test('there is a Worker to copy for every store', () => {
  expect(WORKERS).toEqual(Object.keys(stores))
})

describe('the report on a response', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  const reportOf = (response: Response): Report =>
    JSON.parse(response.headers.get('X-Session-Report') ?? '')
  const typesIn = (response: Response): string[] =>
    reportOf(response).events.map(({ type }) => type)

  test('has the cookie as it was sent, without its value', async () => {
    const ada = visitor()
    const response = await ada.visit('/api/memory/visits', send())
    const report = reportOf(response)
    expect(report).toMatchObject({
      received: null,
      sent: {
        name: 'session',
        bytes: 50,
        valueBytes: 43,
        attributes: ['Max-Age=300', 'Path=/', 'HttpOnly', 'SameSite=Lax'],
      },
    })
    const again = reportOf(await ada.visit('/api/memory/visits', send()))
    expect(again).toEqual({
      events: [],
      calls: [
        { method: 'loadSession', result: 'found' },
        { method: 'storeSession', result: 'stored' },
      ],
      received: { name: 'session', bytes: 50 },
      sent: null,
    })
    const value = ada.cookies.get('session') ?? expect.fail()
    expect(response.headers.get('X-Session-Report')).not.toContain(value)
  })

  test('names the cookie as an app’s is called, over https, whatever the playground calls it', async () => {
    const ada = new Visitor((url, init) => playground.request(url, init, env), 'https://localhost')
    await ada.visit('/api/d1/visits', send())
    const { received, sent } = reportOf(
      await ada.visit('/api/d1/sign-in', send({ user: 'Ada ☕' })),
    )
    expect(received?.name).toBe('__Host-session')
    expect([...ada.cookies.keys()]).toEqual(['__Host-session-d1'])
    expect(sent?.attributes).toContain('Secure')
  })

  test.each(['memory', 'cookie', 'd1'])('tells the life of a session in %s', async (store) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const api = `/api/${store}`
    const ada = visitor()
    expect(typesIn(await ada.visit(`${api}/session`))).toEqual([])
    expect(typesIn(await ada.visit(`${api}/visits`, send()))).toEqual(['created'])
    expect(typesIn(await ada.visit(`${api}/session`))).toEqual([])
    vi.setSystemTime(Date.now() + 11_000)
    expect(typesIn(await ada.visit(`${api}/session`))).toEqual(['extended'])
    expect(typesIn(await ada.visit(`${api}/regenerate`, send()))).toEqual(['regenerated'])
    vi.setSystemTime(Date.now() + 1000)
    const signIn = send({ user: `ada-${crypto.randomUUID()}` })
    const signedIn = await ada.visit(`${api}/sign-in`, signIn)
    expect(typesIn(signedIn)).toEqual(['regenerated', 'signed-in'])
    expect(typesIn(await ada.visit(`${api}/regenerate`, send()))).toEqual(['regenerated'])
    expect(typesIn(await ada.visit(`${api}/expire-in`, send({ seconds: 20 })))).toEqual([])
    vi.setSystemTime(Date.now() + 20_001)
    expect(typesIn(await ada.visit(`${api}/session`))).toEqual(['rejected'])
    expect(typesIn(await ada.visit(`${api}/sign-in`, signIn))).toEqual([
      'rejected',
      'created',
      'signed-in',
    ])
    const removal = await ada.visit(`${api}/sign-out`, send())
    expect(reportOf(removal)).toMatchObject({
      events: [{ type: 'destroyed' }],
      sent: { valueBytes: 0, attributes: expect.arrayContaining(['Max-Age=0']) },
    })
  })

  test('tells of a session that ended while a request was running', async () => {
    const ada = visitor()
    await ada.visit('/api/memory/race', send())
    const racing = ada.copy().visit('/api/memory/race/set', send())
    await ada.visit('/api/memory/sign-out', send())
    expect(typesIn(await racing)).toEqual(['gone'])
  })

  test('is there when the store has failed', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const down = () => Promise.reject(new Error('down'))
    const failing = { ...env, KV: { get: down, put: down, delete: down, list: down } }
    const response = await playground.request(
      `${LOCAL}/api/kv/session`,
      { headers: { Cookie: `session-kv=${'A'.repeat(43)}` } },
      failing,
    )
    expect(response.status).toBe(500)
    expect(reportOf(response)).toMatchObject({
      events: [],
      calls: [{ method: 'loadSession', result: 'STORE_FAILED' }],
      sent: null,
    })
    // The advice in the error reaches the page.
    expect(await response.json()).toEqual({ error: expect.stringMatching(/^The session store/) })
  })
})

describe('the private page', () => {
  test.each(['memory', 'd1'])(
    'is for who has signed in, and for no cache, in %s',
    async (store) => {
      const ada = visitor()
      const sentAway = await ada.visit(`/private/${store}`)
      expect(sentAway.status).toBe(303)
      expect(sentAway.headers.get('Location')).toBe(`/?store=${store}#signed-out`)
      await ada.visit(`/api/${store}/sign-in`, send({ user: 'Ada <b>' }))
      const page = await ada.visit(`/private/${store}`)
      expect(page.status).toBe(200)
      expect(page.headers.get('Cache-Control')).toBe('no-store')
      expect(await page.text()).toContain('Only Ada &lt;b&gt; sees this')
      const signedOut = await ada.visit(`/private/${store}/sign-out`, { method: 'POST' })
      expect(signedOut.headers.get('Location')).toBe(`/?store=${store}`)
      expect((await ada.visit(`/private/${store}`)).status).toBe(303)
    },
  )
})

test('every page has a policy that lets nothing inline run', async () => {
  for (const path of ['/', '/private/memory', '/api/memory/session']) {
    const response = await visitor().visit(path)
    const policy = response.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(response.headers.get('Strict-Transport-Security')).toBeNull()
  }
})

describe('the door before the isolates', () => {
  const isolate = (name: string): Fetcher =>
    ({ fetch: async ({ url }: Request) => new Response(`${name} ${url}`) }) as unknown as Fetcher
  const [A, B, C] = ['A', 'B', 'C'].map(isolate) as [Fetcher, Fetcher, Fetcher]
  const knock = (headers: HeadersInit = {}): Promise<Response> =>
    door.fetch(new Request(`${LOCAL}/api`, { headers }), { A, B, C })

  test('lets a request choose, and says which there are', async () => {
    expect(await (await knock()).text()).toBe(`A ${LOCAL}/api`)
    expect(await (await knock({ 'X-Isolate': 'C' })).text()).toBe(`C ${LOCAL}/api`)
    expect((await knock()).headers.get('X-Isolates')).toBe('A,B,C')
  })

  test.each(['D', 'toString', ''])('has no isolate %j', async (name) => {
    expect((await knock({ 'X-Isolate': name })).status).toBe(404)
  })
})
