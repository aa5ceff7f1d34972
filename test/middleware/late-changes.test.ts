import { describe, expect, test } from 'vitest'
import type { Session, SessionOptions } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { watchWarnings } from '../support/warnings.ts'

import {
  cookieOf,
  type Data,
  MOUNTS,
  methods,
  post,
  SHAPE,
  type World,
  worldOf,
  write,
} from '../support/world.ts'

const clock = useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

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
        const stall = store.stallNextAfter('storeSession')
        const saved = c.var.session.save((s) => s.set('a', 1))
        await stall.reached
        c.var.session.set('b', 2)
        stall.release()
        await saved
        expect(c.var.session.dataChanged).toBe(true)
        return c.text('ok')
      })
      app.get('/keys', (c) => c.json([...c.var.session.keys()]))
      expect(await ada.text('/meanwhile', post)).toBe('ok')
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

    test.each([
      ['a session that was stored', '/write', 1],
      ['one that was not', '/nothing', undefined],
    ])('every mutator of %s throws', async (_what, path, n) => {
      const late = await lateWorld().settled(path)
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
        () => late.touch(),
      ]
      for (const mutate of mutators) expect(mutate).toThrow(committed)
      expect(late.get('n')).toBe(n)
    })

    test('save(change) still works for a session whose cookie the browser has', async () => {
      const it = lateWorld()
      const late = await it.settled('/write')
      await late.save((s) => s.set('n', 42))
      expect(await it.ada.text('/read')).toBe('42')
      // Only inside of it.
      expect(() => late.set('n', 43)).toThrow(committed)
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

    test.each<[string, (s: Session<Data>) => void]>([
      ['regenerate', (s) => s.regenerate({ keep: [] })],
      ['signIn', (s) => s.signIn('ada')],
      [
        'another session in place of this one',
        (s) => {
          s.destroy()
          s.set('n', 2)
        },
      ],
    ])('save(change) with %s is refused and changes nothing', async (_what, change) => {
      const it = lateWorld()
      const late = await it.settled('/write')
      const before = late.toJSON()
      await expect(late.save(change)).rejects.toEqual(committed)
      expect(late.toJSON()).toEqual(before)
      expect(late.isDestroyed).toBe(false)
      expect(late.dataChanged).toBe(false)
      await late.save((s) => s.update('n', (n) => Number(n) + 10))
      expect(await it.ada.text('/read')).toBe('11')
    })

    test('save() stores nothing of a request whose store failed, because its cookie cannot follow', async () => {
      const { app, store, ada } = world()
      let kept: Session<Data> | undefined
      app.post('/new', (c) => {
        kept = c.var.session
        kept.set('n', 1)
        return c.text('ok')
      })
      store.failNext('storeSession')
      expect((await ada.visit('/new', post)).status).toBe(500)
      const calls = methods(store).length
      await expect(kept?.save()).rejects.toEqual(committed)
      expect(methods(store)).toHaveLength(calls)
      expect(ada.cookies.size).toBe(0)
    })

    test('a save() that is refused and that nobody waits for is logged, once in an isolate', async () => {
      const warn = watchWarnings()
      const { app, ada } = world()
      const kept: Session<Data>[] = []
      app.get('/keep', (c) => {
        kept.push(c.var.session)
        return c.text('ok')
      })
      await ada.visit('/keep')
      for (let i = 0; i < 2; i++) {
        const late = kept[0]?.save((s) => s.set('n', 1))
        await expect(late).rejects.toMatchObject({ code: 'SESSION_COMMITTED' })
      }
      expect(warn.mock.calls).toEqual([
        [expect.stringMatching(/^isolate-session: save\(\) was refused/)],
      ])
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
})
