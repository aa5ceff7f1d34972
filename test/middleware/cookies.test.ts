import { describe, expect, test, vi } from 'vitest'
import { MemoryStore, type SessionOptions, type SessionStore, session } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { watchWarnings } from '../support/warnings.ts'

import { cookieOf, DAY, HOST, MOUNTS, post, SHAPE, worldOf, write } from '../support/world.ts'

const clock = useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world } = worldOf(mount)

  describe('M4 M5 M6 the cookie', () => {
    const lineOf = async (url: string, options: SessionOptions['cookie'] = {}): Promise<string> => {
      const { app } = world({ cookie: options })
      return cookieOf(await app.request(url, post)) ?? expect.fail('no cookie')
    }

    test('has the safest name and attributes by default', async () => {
      expect(await lineOf(`${HOST}/write`)).toMatch(SHAPE)
      expect(await lineOf(`${HOST}/write`)).toContain(`Max-Age=${DAY};`)
    })

    test.each([
      [
        'http://localhost:8787/write',
        /^session=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/,
      ],
      ['http://app.localhost/write', /^session=/],
      ['http://127.0.0.1/write', /^session=/],
      ['http://127.9.8.7:1/write', /^session=/],
      ['http://[::1]:8787/write', /^session=/],
      ['https://localhost/write', /^__Host-session=.*; Secure$/],
      ['http://shop.example/write', /^__Host-session=.*; Secure$/],
      ['http://localhost.example/write', /^__Host-session=.*; Secure$/],
      ['http://mylocalhost/write', /^__Host-session=.*; Secure$/],
      ['http://127.0.0.1.example/write', /^__Host-session=.*; Secure$/],
      ['http://shop.example/localhost/../write', /^__Host-session=.*; Secure$/],
    ])('for %s is Secure by the URL alone', async (url, shape) => {
      vi.spyOn(console, 'warn').mockReturnValue()
      expect(await lineOf(url)).toMatch(shape)
    })

    test.each([
      [{ sameSite: 'None' as const }, /; SameSite=None; Secure$/],
      [{ partitioned: true }, /; Partitioned; Secure$/],
    ])(
      'with %o is Secure on loopback, too: browsers would drop it otherwise',
      async (options, shape) => {
        expect(await lineOf('http://localhost:8787/write', options)).toMatch(shape)
      },
    )

    test.each([
      [{ path: '/app' }, /^__Secure-session=.*; Path=\/app; HttpOnly; SameSite=Lax; Secure$/],
      [{ domain: 'shop.example' }, /^__Secure-session=.*; Path=\/; Domain=shop.example; HttpOnly/],
      [{ secure: false }, /^session=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/],
      [{ sameSite: 'Strict' as const }, /; SameSite=Strict; Secure$/],
      [{ sameSite: 'None' as const }, /; SameSite=None; Secure$/],
      [{ partitioned: true }, /; SameSite=Lax; Partitioned; Secure$/],
      [{ persistent: false }, /^__Host-session=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Secure$/],
    ])('with %o is written so', async (options, shape) => {
      expect(await lineOf(`${HOST}/write`, options)).toMatch(shape)
    })

    test.each([
      {},
      { path: '/app' },
      { domain: 'shop.example' },
      { secure: false },
      { sameSite: 'None' as const, partitioned: true },
    ])('with %o is removed under the same name and attributes', async (cookie) => {
      const { ada } = world({ cookie })
      const set = cookieOf(await write(ada)) ?? ''
      const removed = cookieOf(await ada.visit('/destroy', post)) ?? ''
      const bare = (line: string): string => line.replace(/=[^;]*; Max-Age=\d+/, '')
      expect(bare(removed)).toBe(bare(set))
      expect(removed).toContain('=; Max-Age=0;')
      expect(ada.cookies.size).toBe(0)
    })

    test('has as Max-Age what is left of the record, to the second', async () => {
      const { app, ada } = world({ idleTimeout: DAY, absoluteTimeout: 2 * DAY, touchAfter: 0 })
      app.get('/expiry', (c) => c.json(c.var.session.expiry))
      await write(ada)
      clock.advance(1.5 * DAY - 1)
      expect(await ada.text('/read')).toBe('null')
      await write(ada)
      for (const [wait, left] of [
        [DAY - 10, DAY],
        [DAY - 10, 20],
      ] as const) {
        clock.advance(wait)
        const line = cookieOf(await ada.visit('/read'))
        expect(line).toContain(`Max-Age=${left};`)
        const expiry = new Date(JSON.parse(await ada.text('/expiry')))
        expect(expiry.getTime()).toBe(Date.now() + left * 1000)
      }
    })

    test('warns once per isolate on plain http elsewhere, naming the way out', async () => {
      const warn = watchWarnings()
      for (let i = 0; i < 3; i++) await lineOf('http://shop.example/write')
      expect(warn).toHaveBeenCalledOnce()
      expect(warn.mock.calls[0]?.[0]).toContain('wrangler dev --host localhost')
    })

    test.each([
      ['over https', `${HOST}/write`, {}],
      ['over http to loopback', 'http://localhost:8787/write', {}],
      [
        'over http to loopback, where SameSite=None makes it Secure',
        'http://localhost:8787/write',
        { sameSite: 'None' },
      ],
      [
        'over http elsewhere, when it is not Secure',
        'http://shop.example/write',
        { secure: false },
      ],
    ] as const)('warns of nothing %s', async (_what, url, cookie) => {
      const warn = watchWarnings()
      const store = new MemoryStore({ name: crypto.randomUUID(), warn: false })
      await world({ store, cookie }).app.request(url, post)
      expect(warn).not.toHaveBeenCalled()
    })

    test('is never larger than a browser takes: then nothing is sent', async () => {
      const huge: SessionStore = {
        loadSession: async () => undefined,
        storeSession: async () => 'x'.repeat(4096 - '__Host-session'.length + 1),
        destroySession: async () => {},
        clearStore: async () => {},
      }
      const { app } = world({ store: huge })
      app.post('/id', (c) => {
        c.var.session.set('n', 1)
        return c.text('ok')
      })
      const response = await app.request(`${HOST}/id`, post)
      expect(await response.text()).toBe('SESSION_TOO_LARGE')
      expect(cookieOf(response)).toBeNull()
    })

    test('is the only one of its name, and other cookies survive', async () => {
      const { app, ada } = world()
      app.post('/others', (c) => {
        c.header('Set-Cookie', 'theme=dark', { append: true })
        c.header('Set-Cookie', 'lang=en', { append: true })
        c.var.session.set('n', 1)
        c.var.session.regenerate()
        return c.text('ok')
      })
      await write(ada)
      const lines = (await ada.visit('/others', post)).headers.getSetCookie()
      expect(lines).toHaveLength(3)
      expect(lines.slice(0, 2)).toEqual(['theme=dark', 'lang=en'])
      expect(lines[2]).toMatch(SHAPE)
    })
  })

  describe('M7 options that contradict each other', () => {
    const store = new MemoryStore({ name: 'options' })
    test.each<[string, Partial<SessionOptions>]>([
      ['no store', { store: undefined as unknown as SessionStore }],
      ['no store at all', { store: {} as SessionStore }],
      ['SameSite=None without Secure', { cookie: { sameSite: 'None', secure: false } }],
      ['Partitioned without Secure', { cookie: { partitioned: true, secure: false } }],
      ['an unknown SameSite', { cookie: { sameSite: 'loose' as 'Lax' } }],
      ['secure of another kind', { cookie: { secure: 'yes' as 'auto' } }],
      ...['a;b', 'a b', 'a=b', '', 'é', 'a\r\nb', 'a\0', '__Host-x', '__secure-x'].map(
        (name): [string, object] => [`name ${JSON.stringify(name)}`, { name }],
      ),
      ...['/a;b', 'a', '', '/é', '/a\r\nSet-Cookie: x=y', '/\0'].map((path): [string, object] => [
        `path ${JSON.stringify(path)}`,
        { cookie: { path } },
      ]),
      ...['a;b', 'é.example', 'a b', '', 'a\r\n', 'a..b'].map((domain): [string, object] => [
        `domain ${JSON.stringify(domain)}`,
        { cookie: { domain } },
      ]),
      ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, true, '60', null].flatMap(
        (seconds): [string, object][] => [
          [`idleTimeout ${seconds}`, { idleTimeout: seconds }],
          [`absoluteTimeout ${seconds}`, { absoluteTimeout: seconds }],
        ],
      ),
      ...[-1, Number.NaN, Number.POSITIVE_INFINITY, '60', null, false].map(
        (seconds): [string, object] => [`touchAfter ${seconds}`, { touchAfter: seconds }],
      ),
    ])('throw at once: %s', (_what, options) => {
      expect(() => session({ store, ...options })).toThrow(TypeError)
    })

    test('and sensible ones do not', () => {
      session({ store, idleTimeout: false, absoluteTimeout: false, touchAfter: 0 })
      session({
        store: () => store,
        cookie: { sameSite: 'None', domain: '.shop.example', path: '/a/b' },
      })
    })
  })
})
