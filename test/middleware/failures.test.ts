import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, test, vi } from 'vitest'
import { MemoryStore, type Session, type SessionOptions, session } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { sealResponses } from '../support/sealed.ts'

import {
  cookieOf,
  DAY,
  type Data,
  type Env,
  HOST,
  MOUNTS,
  methods,
  post,
  SHAPE,
  type World,
  worldOf,
  write,
} from '../support/world.ts'

useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world, ofHono } = worldOf(mount)

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

    test.each([new TypeError('prefix must be …'), new RangeError('Invalid array length')])(
      'for a mistake in the code that makes it is that mistake: %s',
      async (thrown) => {
        expect(await errorOf(thrown)).toBe(thrown)
      },
    )
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

    ofHono('on store is an error, with nothing of the success that was prepared', async () => {
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

    test('and ends in a 5xx has dropped its changes, so a late save() finds none', async () => {
      const { app, store, ada } = failing()
      let kept: Session<Data> | undefined
      app.post('/fail/late', (c) => {
        kept = c.var.session
        kept.set('n', 99)
        throw new Error('failed')
      })
      await write(ada)
      expect((await ada.visit('/fail/late', post)).status).toBe(500)
      expect(kept?.dataChanged).toBe(false)
      expect(kept?.expiry).toEqual(new Date(Date.now() + DAY * 1000))
      await kept?.save()
      expect(methods(store)).toEqual(['storeSession', 'loadSession', 'reloadSession'])
      expect(await ada.text('/read')).toBe('1')
    })

    test.each([401, 403] as const)('a %i drops a sign-in, and rotates nothing', async (status) => {
      const { app, store, ada } = failing()
      app.post('/refuse', (c) => {
        c.var.session.signIn('ada')
        throw new HTTPException(status)
      })
      expect(cookieOf(await ada.visit('/refuse', post))).toBeNull()
      expect(store.calls).toEqual([])
      await write(ada)
      const calls = store.calls.length
      expect(cookieOf(await ada.visit('/refuse', post))).toBeNull()
      expect(methods(store).slice(calls)).toEqual(['loadSession'])
      expect(await ada.text('/read')).toBe('1')
    })

    test('leaves no session behind for a visitor who had none', async () => {
      const { store, ada } = failing()
      const response = await ada.visit('/fail/set', post)
      expect(cookieOf(response)).toBeNull()
      expect(store.calls).toEqual([])
    })

    ofHono.each(['destroy', 'destroy-and-begin'])('still ends the session: %s', async (act) => {
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

    ofHono('keeps what save() stored before, and sends its cookie', async () => {
      const { ada } = failing()
      const response = await ada.visit('/fail/save', post)
      expect(response.status).toBe(500)
      expect(cookieOf(response)).toMatch(SHAPE)
      expect(await ada.text('/keys')).toBe('["saved"]')
    })

    // Whether the handler fails after it or the store does (M12).
    ofHono.each(['handler', 'store'])(
      'keeps it open for a late save() though the %s failed: the browser has its cookie',
      async (which) => {
        const { app, store, ada } = failing()
        let kept: Session<Data> | undefined
        app.post('/saved', async (c) => {
          kept = c.var.session
          await kept.save((s) => s.set('saved', true))
          if (which === 'handler') throw new Error('failed')
          store.failNext('storeSession')
          kept.set('lost', true)
          return c.text('ok')
        })
        expect((await ada.visit('/saved', post)).status).toBe(500)
        await kept?.save((s) => s.set('late', true))
        expect(JSON.parse(await ada.text('/keys'))).toEqual(
          expect.arrayContaining(['saved', 'late']),
        )
      },
    )

    ofHono('an HTTPException below 500 and a returned 500 are stored', async () => {
      const { ada } = failing()
      expect((await ada.visit('/forbid', post)).status).toBe(403)
      expect(await ada.text('/notice')).toBe('"No"')
      expect((await ada.visit('/returns-500', post)).status).toBe(500)
      expect(await ada.text('/read')).toBe('97')
    })

    ofHono('with saveOnError it is stored', async () => {
      const { ada } = failing({ saveOnError: true })
      expect(cookieOf(await ada.visit('/fail/set', post))).toMatch(SHAPE)
      expect(await ada.text('/read')).toBe('99')
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
})
