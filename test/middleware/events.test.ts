import { describe, expect, test, vi } from 'vitest'
import { useClock } from '../support/clock.js'

import { MOUNTS, post, worldOf, write } from '../support/world.js'

useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

  describe('M21 events', () => {
    test('tell the life of a session by ids', async () => {
      const { events, ada } = world()
      await write(ada)
      await ada.visit('/regenerate', post)
      await ada.visit('/destroy', post)
      const types = events.map(({ type }) => type)
      expect(types).toEqual(['created', 'regenerated', 'destroyed'])
      const [created, regenerated, destroyed] = events as { id: string }[]
      expect(created?.id).toMatch(/^[\w-]{43}$/)
      expect(regenerated?.id).not.toBe(created?.id)
      expect(destroyed?.id).toBe(regenerated?.id)
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
