import type { Context } from 'hono'
import { describe, expect, test } from 'vitest'
import { useClock } from '../support/clock.ts'

import { type Env, HOST, MOUNTS, worldOf, write } from '../support/world.ts'

useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

  describe('M17 caches', () => {
    const headersAfter = async (
      act: (c: Context<Env>) => unknown,
      headers: Record<string, string> = {},
    ): Promise<Headers> => {
      const { app } = world()
      app.get('/page', (c) => {
        act(c)
        return c.text('page', 200, headers)
      })
      return (await app.request(`${HOST}/page`)).headers
    }

    test.each<[string, (c: Context<Env>) => unknown]>([
      ['get', (c) => c.var.session.get('n')],
      ['has', (c) => c.var.session.has('n')],
      ['keys', (c) => c.var.session.keys()],
      ['size', (c) => c.var.session.size],
      ['id', (c) => c.var.session.id],
      ['isNew', (c) => c.var.session.isNew],
      ['isDestroyed', (c) => c.var.session.isDestroyed],
      ['isExpired', (c) => c.var.session.isExpired],
      ['dataChanged', (c) => c.var.session.dataChanged],
      ['createdAt', (c) => c.var.session.createdAt],
      ['expiry', (c) => c.var.session.expiry],
      ['owner', (c) => c.var.session.owner],
      ['delete', (c) => c.var.session.delete('n')],
      ['update', (c) => c.var.session.update('n', (n) => n)],
      ['toJSON', (c) => JSON.stringify(c.var.session)],
    ])('a handler that looks (%s) makes a private page', async (_what, look) => {
      const headers = await headersAfter(look, { 'Cache-Control': 'public, max-age=60' })
      expect(headers.get('Vary')).toBe('Cookie')
      expect(headers.get('Cache-Control')).toBe('private, max-age=60')
    })

    const look = (c: Context<Env>): unknown => c.var.session.get('n')
    test.each([
      [undefined, 'private'],
      ['private', 'private'],
      ['no-store', 'no-store'],
      ['private, no-cache', 'private, no-cache'],
      ['no-cache', 'private, no-cache'],
      ['public', 'private'],
      ['PUBLIC, S-MaxAge=10', 'private'],
      [
        'public, s-maxage=600, max-age=60, stale-while-revalidate=5',
        'private, max-age=60, stale-while-revalidate=5',
      ],
      ['private="set-cookie, x", max-age=5', 'private, max-age=5'],
      ['no-cache="Set-Cookie"', 'private'],
      ['public, no-store', 'no-store'],
    ])('Cache-Control %j becomes %j', async (asked, expected) => {
      const headers = await headersAfter(
        look,
        asked === undefined ? {} : { 'Cache-Control': asked },
      )
      expect(headers.get('Cache-Control')).toBe(expected)
    })

    test('what addresses shared caches is overridden', async () => {
      const headers = await headersAfter(look, {
        'CDN-Cache-Control': 'max-age=600',
        'Cloudflare-CDN-Cache-Control': 'max-age=600',
      })
      expect(headers.get('CDN-Cache-Control')).toBeNull()
      expect(headers.get('Cloudflare-CDN-Cache-Control')).toBeNull()
    })

    test.each([
      ['Accept', 'Accept, Cookie'],
      ['cookie', 'cookie'],
      ['Accept, COOKIE', 'Accept, COOKIE'],
      ['*', '*'],
      ['X-Cookie', 'X-Cookie, Cookie'],
    ])('Vary %j becomes %j', async (asked, expected) => {
      expect((await headersAfter(look, { Vary: asked })).get('Vary')).toBe(expected)
    })

    test('a response with a cookie is not stored at all', async () => {
      const headers = await headersAfter((c) => c.var.session.set('n', 1), {
        'Cache-Control': 'public, max-age=60',
        'CDN-Cache-Control': 'max-age=600',
      })
      expect(headers.get('Cache-Control')).toBe('no-store')
      expect(headers.get('CDN-Cache-Control')).toBeNull()
      expect(headers.get('Vary')).toBe('Cookie')
    })

    test('a page that touches nothing stays cacheable, also for a visitor with a session', async () => {
      const { app, ada } = world()
      app.get('/public', (c) => c.text('page', 200, { 'Cache-Control': 'public, max-age=60' }))
      await write(ada)
      const { headers } = await ada.visit('/public')
      expect(headers.get('Cache-Control')).toBe('public, max-age=60')
      expect(headers.get('Vary')).toBeNull()
    })
  })
})
