import { Hono } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import { Session, type SessionEnv, type SessionStore } from '../../src/index.ts'
import { sessionCookie } from '../../src/testing.ts'
import { useClock } from '../support/clock.ts'
import { sealResponses } from '../support/sealed.ts'
import { Visitor } from '../support/visitor.ts'

import {
  cookieOf,
  type Data,
  HOST,
  MOUNTS,
  methods,
  newStore,
  post,
  SHAPE,
  worldOf,
  write,
} from '../support/world.ts'

const clock = useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world, mounted } = worldOf(mount)

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
      app.use(mounted({ store }))
      app.use(mounted({ store, name: 'admin' }))
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
})
