import { type Context, Hono } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import { session } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { sealResponses } from '../support/sealed.ts'
import { makeSecret } from '../support/secret.ts'
import { Visitor } from '../support/visitor.ts'
import { watchWarnings } from '../support/warnings.ts'

import { HOST, MOUNTS, methods, newStore, post, worldOf, write } from '../support/world.ts'

useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

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
})

describe('M18 mounted twice under one name', () => {
  const store = newStore()
  const secret = makeSecret()
  const cases: [what: string, inner: object, outer: object, warnings: number][] = [
    ['no other options', {}, {}, 0],
    ['the same, written twice', { cookie: { path: '/' } }, { cookie: { path: '/' } }, 0],
    ['the same list, written twice', { secrets: [secret] }, { secrets: [secret] }, 0],
    ['an option more', { saveOnError: true }, {}, 1],
    ['an option less', {}, { saveOnError: true }, 1],
    ['another attribute', { cookie: { sameSite: 'Strict' } }, { cookie: { sameSite: 'Lax' } }, 1],
    ['another store', { store: newStore() }, {}, 1],
    ['a text for a list', { secrets: secret }, { secrets: [secret] }, 1],
  ]
  test.each(cases)('the inner one with %s', async (_what, inner, outer, warnings) => {
    const warn = watchWarnings()
    const app = sealResponses(new Hono())
    app.use(session({ store, ...outer }))
    app.use('/sub/*', session({ store, ...inner }))
    app.get('/sub/page', (c) => c.text('ok'))
    for (let i = 0; i < 2; i++) expect((await app.request(`${HOST}/sub/page`)).status).toBe(200)
    expect(warn).toHaveBeenCalledTimes(warnings)
  })
})
