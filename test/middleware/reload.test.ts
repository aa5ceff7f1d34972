import { describe, expect, test } from 'vitest'
import { CookieStore, Session, type SessionStore } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { makeSecret } from '../support/secret.ts'
import { type Data, MOUNTS, methods, newStore, post, worldOf, write } from '../support/world.ts'

const clock = useClock()

/** With nothing but what every store has, so it cannot be asked again. */
function bareStore(): SessionStore {
  const inner = newStore()
  return {
    loadSession: (value) => inner.loadSession(value),
    storeSession: (session) => inner.storeSession(session),
    destroySession: (session) => inner.destroySession(session),
    clearStore: () => inner.clearStore(),
  }
}

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

  describe('S14 reload()', () => {
    /** A session that a handler has handed out, as a WebSocket keeps it, of a visitor who goes on elsewhere. */
    async function kept(options: object = {}): Promise<{
      socket: Session<Data>
      ada: ReturnType<typeof world>['ada']
      store: ReturnType<typeof world>['store']
    }> {
      const { app, ada, store } = world(options)
      let socket: Session<Data> | undefined
      app.post('/open', (c) => {
        c.var.session.update('n', (n) => Number(n ?? 0) + 1)
        socket = c.var.session
        return c.text('open')
      })
      app.post('/sign-in', (c) => {
        c.var.session.signIn('ada', { keep: ['n'] })
        return c.text('in')
      })
      await ada.visit('/open', post)
      return { socket: socket ?? expect.fail(), ada, store }
    }

    test('shows long after the response what another request has stored, and stores nothing', async () => {
      const { socket, ada, store } = await kept()
      await write(ada)
      expect(socket.get('n')).toBe(1)
      const before = methods(store).length
      await socket.reload()
      expect(socket.get('n')).toBe(2)
      expect(methods(store).slice(before)).toEqual(['reloadSession'])
    })

    test.each(['/destroy', '/regenerate', '/sign-in'])(
      'is SESSION_GONE after %s in another request',
      async (path) => {
        const { socket, ada } = await kept()
        await ada.visit(path, post)
        await expect(socket.reload()).rejects.toMatchObject({ code: 'SESSION_GONE' })
      },
    )

    test('is SESSION_GONE when it has expired', async () => {
      const { socket } = await kept({ idleTimeout: 100 })
      clock.advance(100)
      await expect(socket.reload()).rejects.toMatchObject({ code: 'SESSION_GONE' })
    })

    test('is SESSION_GONE when it is older than an absolute timeout of today, though its record lives', async () => {
      const store = newStore()
      const before = world({ store })
      await write(before.ada)
      clock.advance(50)
      const { app, ada } = world({ store, absoluteTimeout: 100 })
      for (const [name, value] of before.ada.cookies) ada.cookies.set(name, value)
      let socket: Session<Data> | undefined
      app.get('/open', (c) => {
        socket = c.var.session
        return c.json(socket.get('n'))
      })
      expect(await ada.text('/open')).toBe('1')
      clock.advance(49)
      await socket?.reload()
      clock.advance(1)
      await expect(socket?.reload()).rejects.toMatchObject({ code: 'SESSION_GONE' })
      expect(await before.ada.text('/read')).toBe('1')
    })

    test('keeps the unsaved changes of this request on top', async () => {
      const { app, ada, store } = world()
      app.get('/all', (c) => c.json(Object.fromEntries(c.var.session.entries())))
      app.post('/both', async (c) => {
        c.var.session.set('mine', true)
        await write(ada)
        await c.var.session.reload()
        return c.json([c.var.session.get('n'), c.var.session.get('mine')])
      })
      await write(ada)
      const twin = ada.copy()
      expect(await (await twin.visit('/both', post)).json()).toEqual([2, true])
      expect(methods(store).filter((method) => method === 'storeSession')).toHaveLength(3)
      expect(JSON.parse(await ada.text('/all'))).toEqual({ n: 2, mine: true })
    })

    test('keeps an expiry that was moved and is not stored yet', async () => {
      const { app, ada } = world()
      app.post('/short', async (c) => {
        c.var.session.expireIn(60)
        await c.var.session.reload()
        return c.json(c.var.session.expiry)
      })
      await write(ada)
      const expected = new Date(Date.now() + 60_000)
      expect(await ada.text('/short', post)).toBe(JSON.stringify(expected))
      clock.advance(60)
      expect(await ada.text('/read')).toBe('null')
    })

    test('leaves a session alone that was never stored', async () => {
      const { app, ada, store } = world()
      app.post('/new', async (c) => {
        c.var.session.set('n', 7)
        await c.var.session.reload()
        return c.json(c.var.session.get('n') ?? null)
      })
      expect(await ada.text('/new', post)).toBe('7')
      expect(methods(store)).toEqual(['storeSession'])
    })

    test('is STORE_FAILED when the store fails', async () => {
      const { socket, store } = await kept()
      store.failNext('reloadSession')
      await expect(socket.reload()).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await socket.reload()
    })

    test('S11 save() with nothing to store asks nobody where nobody can be asked', async () => {
      for (const store of [new CookieStore({ secrets: makeSecret() }), bareStore()]) {
        const { app, ada } = world({ store })
        app.post('/save', async (c) => {
          await c.var.session.save()
          return c.json(c.var.session.get('n'))
        })
        await write(ada)
        expect(await ada.text('/save', post)).toBe('1')
      }
    })

    test('is UNSUPPORTED for a session in its cookie, for a store that cannot, and without a middleware', async () => {
      for (const store of [new CookieStore({ secrets: makeSecret() }), bareStore()]) {
        const { socket } = await kept({ store })
        await expect(socket.reload()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
      }
      await expect(new Session().reload()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    })
  })

  describe('S10 touch()', () => {
    test('moves the expiry of record and cookie now, though none is due', async () => {
      const { app, ada } = world({ idleTimeout: 1000 })
      app.post('/touch', (c) => {
        c.var.session.touch()
        return c.text('touched')
      })
      await write(ada)
      clock.advance(50)
      const line = (await ada.visit('/touch', post)).headers.get('Set-Cookie')
      expect(line).toContain('Max-Age=1000;')
      clock.advance(999)
      expect(await ada.text('/read')).toBe('1')
    })

    test('begins no session, and brings none back', async () => {
      const { app, ada, store } = world()
      app.post('/touch', (c) => {
        c.var.session.touch()
        c.var.session.destroy()
        c.var.session.touch()
        return c.json(c.var.session.isDestroyed)
      })
      const response = await ada.visit('/touch', post)
      expect([await response.text(), response.headers.get('Set-Cookie')]).toEqual(['true', null])
      expect(methods(store)).toEqual([])
      await write(ada)
      expect((await ada.visit('/touch', post)).headers.get('Set-Cookie')).toContain('Max-Age=0')
    })
  })

  describe('S10 expireIn() with persistent', () => {
    const remembering = (
      persistent: boolean,
    ): [ReturnType<typeof world>, (path: string) => Promise<string | null>] => {
      const made = world({ idleTimeout: 1000, cookie: { persistent: !persistent } })
      made.app.post('/sign-in', (c) => {
        c.var.session.signIn('ada')
        return c.text('in')
      })
      made.app.post('/remember', (c) => {
        c.var.session.expireIn(1000, { persistent })
        return c.text('ok')
      })
      made.app.post('/longer', (c) => {
        c.var.session.expireIn(5000)
        return c.text('ok')
      })
      const line = async (path: string): Promise<string | null> =>
        (await made.ada.visit(path, { method: path === '/read' ? 'GET' : 'POST' })).headers.get(
          'Set-Cookie',
        )
      return [made, line]
    }

    test.each([true, false])(
      '%s is in place of cookie.persistent, also when it is extended and rotated, until a sign-in',
      async (persistent) => {
        const [, line] = remembering(persistent)
        const lasts = async (path: string): Promise<boolean> => {
          const found = await line(path)
          expect(found).toContain('__Host-session=')
          return found?.includes('Max-Age') ?? false
        }
        expect(await lasts('/write')).toBe(!persistent)
        expect(await lasts('/remember')).toBe(persistent)
        clock.advance(200)
        expect(await lasts('/read')).toBe(persistent)
        expect(await lasts('/regenerate')).toBe(persistent)
        expect(await lasts('/longer')).toBe(persistent)
        expect(await lasts('/sign-in')).toBe(!persistent)
      },
    )

    test('is sent though the expiry stays, and not again when it stays as well', async () => {
      const [, line] = remembering(true)
      await line('/write')
      expect(await line('/remember')).toContain('Max-Age')
      expect(await line('/remember')).toBeNull()
    })

    test.each([{ persistent: 'yes' }, { persist: true }, true, [[]], null])(
      '%j is a TypeError',
      (options) => {
        expect(() => new Session().expireIn(5, options as never)).toThrow(
          'expireIn() takes its options as an object: { persistent: true }.',
        )
      },
    )
  })

  describe('S entries()', () => {
    test('gives keys and frozen values, and takes no flash', async () => {
      const { app, ada } = world()
      app.post('/entries', (c) => {
        c.var.session.set('cart', ['tea'])
        c.var.session.flash('notice', 'hi')
        const entries = [...c.var.session.entries()]
        const [, cart] = entries[0] ?? expect.fail()
        expect(() => (cart as string[]).push('mug')).toThrow(TypeError)
        return c.json([entries, c.var.session.has('notice')])
      })
      expect(await (await ada.visit('/entries', post)).json()).toEqual([[['cart', ['tea']]], true])
    })
  })
})

describe('S8 device', () => {
  test.each(['', 'a\0b', 'x'.repeat(256), 'é'.repeat(128), 5, null, '\ud800'])(
    '%j is a TypeError',
    (device) => {
      expect(() => new Session().signIn('ada', { device: device as never })).toThrow(TypeError)
    },
  )

  test('is gone with the next sign-in, which may tell another', () => {
    const session = new Session()
    session.signIn('ada', { device: 'Firefox on Linux' })
    session.regenerate()
    expect(session.device).toBe('Firefox on Linux')
    session.signIn('ada')
    expect(session.device).toBeUndefined()
  })
})

test('O4 a session that the first edition wrote was last used when it was created', async () => {
  const store = newStore()
  const body = JSON.stringify({ v: 1, n: 'session', c: 1_767_225_600_000, d: {} })
  const { insert } = store as unknown as { insert(id: string, record: object): Promise<boolean> }
  const record = { version: 'v', expiry: null, owner: 'ada', body }
  await insert.call(store, 'A'.repeat(43), record)
  const [summary] = await store.sessionsOf('ada')
  expect(summary?.lastUsedAt).toEqual(new Date(1_767_225_600_000))
  expect([summary?.device, summary?.createdAt]).toEqual([undefined, summary?.lastUsedAt])
})
