import { exports } from 'cloudflare:workers'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, test } from 'vitest'
import { session } from '../../src/index.ts'
import { useClock } from '../support/clock.ts'
import { sealResponses } from '../support/sealed.ts'

import {
  cookieOf,
  type Env,
  HOST,
  MOUNTS,
  newStore,
  post,
  SHAPE,
  worldOf,
} from '../support/world.ts'

useClock()

describe.each(MOUNTS)('%s', (_door, mount) => {
  const { world, ofHono } = worldOf(mount)

  describe('M16 the cookie goes onto whatever response goes out', () => {
    const responses: [string, (c: Context<Env>) => Response | Promise<Response>, number][] = [
      ['new Response', () => new Response('raw', { headers: { 'X-Mine': '1' } }), 200],
      ['Response.redirect', () => Response.redirect(`${HOST}/next`, 302), 302],
      ['c.redirect', (c) => c.redirect('/next'), 302],
      ['c.body of null', (c) => c.body(null, 204), 204],
      [
        'Response.error-like clone',
        () => new Response('x', { headers: { 'X-Mine': '1' } }).clone(),
        200,
      ],
      [
        'a stream',
        () =>
          new Response(
            new ReadableStream({
              start: (controller) => {
                controller.enqueue(new TextEncoder().encode('streamed'))
                controller.close()
              },
            }),
          ),
        200,
      ],
    ]

    test.each(responses)('%s', async (_what, respond, status) => {
      const { app, ada } = world()
      app.post('/respond', (c) => {
        c.var.session.set('n', 1)
        return respond(c)
      })
      const response = await ada.visit('/respond', post)
      expect(response.status).toBe(status)
      expect(cookieOf(response)).toMatch(SHAPE)
      if (_what === 'new Response') expect(response.headers.get('X-Mine')).toBe('1')
      expect(await ada.text('/read')).toBe('1')
    })

    test('a response with immutable headers', async () => {
      const { app, ada } = world()
      app.post('/fetched', async (c) => {
        c.var.session.set('n', 1)
        const fetched = await exports.default.fetch('http://localhost:8787/')
        expect(() => fetched.headers.set('X-Mine', '1')).toThrow(TypeError)
        return fetched
      })
      const response = await ada.visit('/fetched', post)
      expect(cookieOf(response)).toMatch(SHAPE)
      expect(await response.text()).toContain('<h1>isolate-session</h1>')
      expect(response.headers.get('Content-Type')).toContain('text/html')
    })

    ofHono('an HTTPException with a response of its own', async () => {
      const { app, ada } = world()
      app.post('/login-required', (c) => {
        c.var.session.flash('notice', 'Log in')
        throw new HTTPException(302, { res: Response.redirect(`${HOST}/login`, 302) })
      })
      app.onError((error, c) =>
        error instanceof HTTPException ? error.getResponse() : c.text('failed', 500),
      )
      const response = await ada.visit('/login-required', post)
      expect(response.status).toBe(302)
      expect(response.headers.get('Location')).toBe(`${HOST}/login`)
      expect(cookieOf(response)).toMatch(SHAPE)
    })

    test('a 101 upgrade, whose webSocket is kept', async () => {
      const { app, ada } = world()
      app.get('/socket', (c) => {
        c.var.session.set('n', 1)
        const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket]
        server.accept()
        return new Response(null, { status: 101, webSocket: client })
      })
      const response = await ada.visit('/socket', { headers: { Upgrade: 'websocket' } })
      expect(response.status).toBe(101)
      expect(response.webSocket).toBeTruthy()
      expect(cookieOf(response)).toMatch(SHAPE)
      response.webSocket?.accept()
      response.webSocket?.close()
    })

    test('a mounted app, with one cookie also when it has the same middleware', async () => {
      const store = newStore()
      const inner = sealResponses(new Hono<Env>())
      inner.use(session({ store }))
      inner.post('/write', (c) => {
        c.var.session.set('inner', true)
        return c.text('ok')
      })
      const { app } = world({ store })
      app.use('/outer/*', async (c, next) => {
        c.var.session.set('outer', true)
        await next()
      })
      app.mount('/outer', inner.fetch)
      const response = await app.request(`${HOST}/outer/write`, post)
      expect(response.headers.getSetCookie()).toHaveLength(1)
    })

    test('a route that is not there', async () => {
      const { app, ada } = world()
      app.use('/missing', async (c, next) => {
        c.var.session.set('n', 1)
        await next()
      })
      const response = await ada.visit('/missing')
      expect(response.status).toBe(404)
      expect(cookieOf(response)).toMatch(SHAPE)
    })
  })
})
