import { describe, expect, test } from 'vitest'
import { useClock } from '../support/clock.ts'

import {
  cookieOf,
  DAY,
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
  const { world } = worldOf(mount)

  describe('M14 rolling', () => {
    test('use extends record and cookie together, at most once per touchAfter', async () => {
      const { store, ada } = world({ idleTimeout: 1000, touchAfter: 100 })
      await write(ada)
      const stored = (): number =>
        methods(store).filter((method) => method === 'storeSession').length
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
      const { app, store, ada } = world({ idleTimeout: false, absoluteTimeout: false })
      app.get('/expiry', (c) => c.json(c.var.session.expiry ?? 'never'))
      expect(cookieOf(await write(ada))).toContain('Max-Age=34560000;')
      clock.advance(10 * 365 * DAY)
      const response = await ada.visit('/expiry')
      expect(await response.text()).toBe('"never"')
      // There is nothing to extend.
      expect(cookieOf(response)).toBeNull()
      expect(methods(store)).toEqual(['storeSession', 'loadSession'])
    })

    test('touchAfter 0 extends at every request', async () => {
      const { ada } = world({ touchAfter: 0 })
      await write(ada)
      for (let i = 0; i < 3; i++) expect(cookieOf(await ada.visit('/read'))).toMatch(SHAPE)
    })
  })
})
