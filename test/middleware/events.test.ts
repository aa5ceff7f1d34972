import { describe, expect, test, vi } from 'vitest'
import { useClock } from '../support/clock.ts'

import { MOUNTS, post, worldOf, write } from '../support/world.ts'

useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

  describe('M21 events', () => {
    test('tell the life of a session by ids', async () => {
      const { app, events, ada } = world()
      app.post('/sign-in', (c) => {
        c.var.session.signIn('ada')
        return c.text('in')
      })
      for (const path of ['/write', '/regenerate', '/sign-in', '/destroy']) {
        await ada.visit(path, post)
      }
      const [first, second, third] = (events as { id: string }[]).map(({ id }) => id)
      expect(new Set([first, second, third]).size).toBe(3)
      for (const id of [first, second, third]) expect(id).toMatch(/^[\w-]{43}$/)
      expect(events).toEqual([
        { type: 'created', id: first, owner: undefined },
        { type: 'regenerated', id: second, previousId: first, owner: undefined },
        { type: 'regenerated', id: third, previousId: second, owner: 'ada' },
        { type: 'destroyed', id: third, owner: 'ada' },
      ])
    })

    test('say whose a session was that ended meanwhile', async () => {
      const { app, store, events, ada } = world()
      app.post('/sign-in', (c) => {
        c.var.session.signIn('ada')
        return c.text('in')
      })
      app.post('/overtaken', async (c) => {
        await store.destroySessionsOf?.('ada')
        c.var.session.set('n', 5)
        return c.text('ok')
      })
      await ada.visit('/sign-in', post)
      const { id } = events[0] as { id: string }
      await ada.visit('/overtaken', post)
      expect(events.at(-1)).toEqual({ type: 'gone', id, owner: 'ada' })
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
})
