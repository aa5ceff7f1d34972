import { Hono } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import {
  CookieStore,
  MemoryStore,
  type SessionEnv,
  SessionError,
  type SessionEvent,
  type SessionOptions,
  type SessionStore,
  session,
} from '../src/index.ts'
import { FaultyStore, sessionCookie } from '../src/testing.ts'
import { httpStory } from './support/http-story.ts'
import { makeSecret } from './support/secret.ts'
import { storyApp } from './support/story-app.ts'
import { Visitor } from './support/visitor.ts'
import { witness } from './support/witness.ts'

const NEW = makeSecret()
const OLD = makeSecret()
const NAME = '__Host-session'
const post = { method: 'POST' }

httpStory('MemoryStore, signed', () => {
  const store = new MemoryStore({ name: `signed-${crypto.randomUUID()}`, warn: false })
  const app = storyApp({ store, secrets: [NEW, OLD] })
  return (url, init) => app.request(url, init)
})

type Data = Record<string, unknown>

interface World {
  app: Hono<SessionEnv<Data>>
  store: FaultyStore
  events: SessionEvent[]
  ada: Visitor
}

function world(secrets: SessionOptions['secrets'], backing?: SessionStore): World {
  const store = new FaultyStore(
    backing ?? new MemoryStore({ name: `signature-${crypto.randomUUID()}`, warn: false }),
  )
  const events: SessionEvent[] = []
  const app = new Hono<SessionEnv<Data>>()
  const onEvent = (event: SessionEvent): void => {
    witness(event)
    events.push(event)
  }
  app.use(session<Data>({ store, onEvent, ...(secrets && { secrets }) } as SessionOptions<Data>))
  app.get('/untouched', (c) => c.text('ok'))
  app.get('/read', (c) => c.json(c.var.session.get('n') ?? null))
  app.get('/id', (c) => c.json(c.var.session.id ?? null))
  app.post('/write', (c) => {
    c.var.session.update('n', (n) => Number(n ?? 0) + 1)
    return c.text('ok')
  })
  app.onError((error, c) => {
    witness(error)
    return c.text(error instanceof SessionError ? error.code : error.name, 500)
  })
  return { app, store, events, ada: new Visitor(app as never) }
}

const cookieIn = (who: Visitor): string => who.cookies.get(NAME) ?? expect.fail('no cookie')
const methods = (store: FaultyStore): string[] => store.calls.map(({ method }) => method)

describe('M10 a signed cookie', () => {
  test('is the value and its signature, and its id is that of the value', async () => {
    const { store, ada } = world(NEW)
    await ada.visit('/write', post)
    expect(cookieIn(ada)).toMatch(/^[\w-]{43}\.[\w-]{43}$/)
    const [value = ''] = cookieIn(ada).split('.')
    const loaded = await store.loadSession(value)
    expect(await ada.text('/id')).toBe(JSON.stringify(loaded?.id))
    expect(await ada.text('/read')).toBe('1')
  })

  test('is read without being sent again', async () => {
    const { ada } = world(NEW)
    await ada.visit('/write', post)
    expect((await ada.visit('/read')).headers.get('Set-Cookie')).toBeNull()
    expect((await ada.visit('/write', post)).headers.get('Set-Cookie')).toBeNull()
  })

  test('with any bit of its signature changed costs no store call, and one HMAC for each secret', async () => {
    const { store, events, ada } = world([NEW, OLD])
    await ada.visit('/write', post)
    const [value = '', signature = ''] = cookieIn(ada).split('.')
    const calls = store.calls.length
    const verify = vi.spyOn(crypto.subtle, 'verify')
    for (let at = 0; at < 42; at++) {
      const other = signature[at] === 'A' ? 'B' : 'A'
      const bad = signature.slice(0, at) + other + signature.slice(at + 1)
      ada.cookies.set(NAME, `${value}.${bad}`)
      expect(await ada.text('/read')).toBe('null')
      expect(verify.mock.calls.length).toBe(2 * (at + 1))
    }
    verify.mockRestore()
    expect(store.calls).toHaveLength(calls)
    expect(events.slice(1)).toEqual(Array(42).fill({ type: 'rejected', reason: 'signature' }))
  })

  test('changed in any character, or cut anywhere, is no session, with one and the same response', async () => {
    const { ada, store } = world([NEW, OLD])
    await ada.visit('/write', post)
    const signed = cookieIn(ada)
    const changed = Array.from(signed, (char, at) => {
      const other = char === 'A' ? 'B' : 'A'
      return signed.slice(0, at) + other + signed.slice(at + 1)
    })
    const cut = Array.from(signed, (_, length) => signed.slice(0, length))
    const responses = new Set<string>()
    for (const bad of [...changed, ...cut, signed + signed, `${signed}.${signed}`]) {
      ada.cookies.set(NAME, bad)
      const response = await ada.visit('/read')
      responses.add(JSON.stringify([response.status, [...response.headers], await response.text()]))
    }
    expect(responses.size).toBe(1)
    expect(methods(store)).toEqual(['storeSession'])
    ada.cookies.set(NAME, signed)
    expect(await ada.text('/read')).toBe('1')
  })

  test('of a shape that nobody signed costs no HMAC either', async () => {
    const { store, events, ada } = world(NEW)
    await ada.visit('/write', post)
    const [value = '', signature = ''] = cookieIn(ada).split('.')
    const verify = vi.spyOn(crypto.subtle, 'verify')
    const last = signature.charCodeAt(42)
    const shapes = [
      value,
      '',
      '.',
      `${value}.`,
      `.${signature}`,
      `${value}.${signature.slice(1)}`,
      `${value}.${signature}A`,
      `${value}.${signature.slice(0, 42)}${String.fromCharCode(last + 1)}`,
      `${value} .${signature}`,
      `${value},.${signature}`,
      `${'x'.repeat(5000)}.${signature}`,
    ]
    for (const shape of shapes) {
      ada.cookies.set(NAME, shape)
      expect(await ada.text('/read')).toBe('null')
    }
    expect(verify).not.toHaveBeenCalled()
    verify.mockRestore()
    expect(methods(store)).toEqual(['storeSession'])
    expect(events.slice(1)).toEqual(shapes.map(() => ({ type: 'rejected', reason: 'signature' })))
  })

  test('is bound to the cookie’s name', async () => {
    const { app, ada } = world(NEW)
    await ada.visit('/write', post)
    const onLoopback = { headers: { Cookie: `session=${cookieIn(ada)}` } }
    expect(await (await app.request('http://localhost/read', onLoopback)).json()).toBeNull()
    const unsigned = world(undefined, undefined)
    expect(await unsigned.ada.text('/read')).toBe('null')
  })

  test('by a secret that is older is accepted, and sent again under the newest, also when it was only read', async () => {
    const backing = new MemoryStore({ name: `rotation-${crypto.randomUUID()}`, warn: false })
    const before = world(OLD, backing)
    await before.ada.visit('/write', post)
    const during = world([NEW, OLD], backing)
    during.ada.cookies.set(NAME, cookieIn(before.ada))
    const read = await during.ada.visit('/read')
    expect(await read.json()).toBe(1)
    expect(read.headers.get('Set-Cookie')).toMatch(
      /^__Host-session=[\w-]{43}\.[\w-]{43}; Max-Age=\d+;/,
    )
    expect(read.headers.get('Cache-Control')).toBe('no-store')
    expect(methods(during.store)).toEqual(['loadSession'])
    expect(cookieIn(during.ada).split('.')[0]).toBe(cookieIn(before.ada).split('.')[0])
    expect((await during.ada.visit('/read')).headers.get('Set-Cookie')).toBeNull()
    const after = world(NEW, backing)
    after.ada.cookies.set(NAME, cookieIn(during.ada))
    expect(await after.ada.text('/read')).toBe('1')
    after.ada.cookies.set(NAME, cookieIn(before.ada))
    expect(await after.ada.text('/read')).toBe('null')
    expect(after.events.at(-1)).toEqual({ type: 'rejected', reason: 'signature' })
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['an empty one', ''],
    ['an empty list', []],
    ['a short one', 'short'],
    ['one character', 'a'.repeat(40)],
    ['a short one behind a good one', [NEW, 'short']],
    ['a placeholder', 'please_change_me_in_production_please'],
  ])('with %s for secrets throws when the middleware is made', (_what, secrets) => {
    const store = new MemoryStore({ name: 'unused', warn: false })
    expect(() => session({ store, secrets: secrets as string })).toThrow(TypeError)
    expect(() => session({ store })).not.toThrow()
  })

  test('can have its secrets from the context, asked only in a request that needs them', async () => {
    const secrets = vi.fn((c) => c.req.header('X-Secret') ?? NEW)
    const { ada } = world(secrets)
    await ada.visit('/untouched')
    await ada.visit('/read')
    expect(secrets).not.toHaveBeenCalled()
    await ada.visit('/write', post)
    expect(secrets).toHaveBeenCalledOnce()
    await ada.visit('/write', post)
    expect(secrets).toHaveBeenCalledTimes(2)
    expect(await ada.text('/read')).toBe('2')
    expect(await ada.text('/read', { headers: { 'X-Secret': OLD } })).toBe('null')
  })

  test.each([undefined, '', [], 'short'])(
    'is an error of the request when the function gives %j, before anything is stored',
    async (given) => {
      const { store, ada } = world(() => given as string)
      const response = await ada.visit('/write', post)
      expect(response.status).toBe(500)
      expect(await response.text()).toBe('TypeError')
      expect(ada.cookies.size).toBe(0)
      expect(store.calls).toEqual([])
      expect((await ada.visit('/untouched')).status).toBe(200)
    },
  )

  test('counts with its signature against what a browser takes', async () => {
    const { ada, app } = world(NEW, new CookieStore({ secrets: OLD }))
    app.post('/fill/:bytes', (c) => {
      c.var.session.set('fill', 'x'.repeat(Number(c.req.param('bytes'))))
      return c.text('ok')
    })
    let refused = 0
    for (let bytes = 2800; refused === 0; bytes++) {
      const response = await ada.visit(`/fill/${bytes}`, post)
      if (response.status === 200)
        expect(NAME.length + cookieIn(ada).length).toBeLessThanOrEqual(4096)
      else refused = bytes
    }
    expect(refused).toBeLessThan(3000)
    expect(await ada.text('/read')).toBe('null')
  })

  test('can be made for a test', async () => {
    const { app, store } = world([NEW, OLD])
    for (const secrets of [NEW, [OLD]]) {
      const Cookie = await sessionCookie(store, { n: 5 }, { secrets })
      for (const url of ['http://localhost/read', 'https://shop.example/read']) {
        expect(await (await app.request(url, { headers: { Cookie } })).json()).toBe(5)
      }
    }
  })
})
