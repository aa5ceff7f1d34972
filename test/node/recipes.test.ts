import { describe, expect, test } from 'vitest'
import { D1Store } from '../../src/stores/d1.ts'
import { makeSecret } from '../support/secret.ts'
import { Visitor } from '../support/visitor.ts'
import { afterThis, ORIGIN, runGuide, story } from './guide.ts'

describe('WebSockets and streams', () => {
  interface Socket {
    accept(): void
    send(data: string): void
    addEventListener(type: string, listener: (event: { data: string; code: number }) => void): void
  }

  async function open(
    who: Visitor,
    origin = ORIGIN,
  ): Promise<{ response: Response; socket: Socket }> {
    const headers = { Upgrade: 'websocket', Origin: origin }
    const response = await who.visit('/socket', { headers })
    return { response, socket: (response as unknown as { webSocket: Socket }).webSocket }
  }

  const next = (socket: Socket, type: string): Promise<{ data: string; code: number }> =>
    new Promise((resolve) => socket.addEventListener(type, resolve))

  story(
    'docs/recipes/websockets-and-streams.md',
    0,
    'a WebSocket stores through save(change), and closes after a sign-out',
    async ({ ask }) => {
      const ada = new Visitor(ask, ORIGIN)
      expect((await open(ada)).response.status).toBe(401)
      await ada.visit('/')
      expect((await open(ada, 'https://evil.example')).response.status).toBe(403)

      const [first, second] = [(await open(ada)).socket, (await open(ada)).socket]
      for (const socket of [first, second]) socket.accept()
      for (const [socket, expected] of [
        [first, 1],
        [second, 2],
        [first, 3],
      ] as const) {
        const answer = next(socket, 'message')
        socket.send('hello')
        expect((await answer).data).toBe(`${expected} messages`)
      }

      expect(await ada.text('/sign-out', { method: 'POST' })).toBe('Signed out')
      const closed = next(second, 'close')
      second.send('hello')
      expect((await closed).code).toBe(4401)
    },
  )

  story(
    'docs/recipes/websockets-and-streams.md',
    2,
    'a chat closes within a second when its visitor signs out on another device',
    async ({ ask }) => {
      const [phone, laptop, bob] = [0, 1, 2].map(() => new Visitor(ask, ORIGIN))
      if (!phone || !laptop || !bob) return expect.fail()
      const post = { method: 'POST' }
      const openChat = async (who: Visitor): Promise<Socket> => {
        const headers = { Upgrade: 'websocket', Origin: ORIGIN }
        const response = await who.visit('/chat', { headers })
        expect(response.status).toBe(101)
        const { webSocket } = response as unknown as { webSocket: Socket }
        webSocket.accept()
        return webSocket
      }
      await phone.visit('/sign-in/ada', post)
      await laptop.visit('/sign-in/ada', post)
      await bob.visit('/sign-in/bob', post)
      const [chat, bobs] = [await openChat(phone), await openChat(bob)]
      const said = next(chat, 'message')
      chat.send('hello')
      expect((await said).data).toBe('ada: hello')

      const closed = next(chat, 'close')
      const began = performance.now()
      expect(await laptop.text('/sign-out-everywhere', post)).toBe('2 ended')
      expect((await closed).code).toBe(4401)
      expect(performance.now() - began).toBeLessThan(1000)
      const still = next(bobs, 'message')
      bobs.send('hello')
      expect((await still).data).toBe('bob: hello')
    },
  )

  story(
    'docs/recipes/websockets-and-streams.md',
    1,
    'a stream stores what came of it',
    async ({ ask }) => {
      const ada = new Visitor(ask, ORIGIN)
      expect(await ada.text('/ask')).toBe('forty-two')
      expect(await ada.text('/last')).toBe('forty-two')
    },
  )
})

story(
  'docs/recipes/middleware-order.md',
  0,
  'the headers of those outside are there, and a 304 has its cookie',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const first = await ada.visit('/', { headers: { Origin: 'https://app.example' } })
    expect(first.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example')
    expect(first.headers.get('X-Request-Id')).not.toBeNull()
    expect(ada.cookies.has('__Host-session')).toBe(true)
    const stranger = new Visitor(ask, ORIGIN)
    const tag = first.headers.get('ETag') ?? ''
    const second = await stranger.visit('/', { headers: { 'If-None-Match': tag } })
    expect(second.status).toBe(304)
    expect(stranger.cookies.has('__Host-session')).toBe(true)
  },
)

story(
  'docs/recipes/cleanup.md',
  0,
  'cron removes expired rows and leaves the others',
  async ({ runtime, ask }) => {
    const db = await runtime.getD1Database('DB', 'app')
    await new D1Store(db as never).migrate()
    const ada = new Visitor(ask, ORIGIN)
    await ada.visit('/')
    await db
      .prepare("INSERT INTO sessions VALUES ('old', 'v', ?, NULL, '{}')")
      .bind(Date.now() - 1)
      .run()
    const { outcome } = await (await runtime.getWorker('app')).scheduled()
    expect(outcome).toBe('ok')
    const { results } = await db.prepare('SELECT id FROM sessions').all()
    expect(results).toHaveLength(1)
    expect(await ada.text('/')).toBe('Visit 2')
  },
)

describe('rotating secrets', () => {
  const page = 'docs/recipes/rotating-secrets.md'
  const [OLD, NEW] = [makeSecret(), makeSecret()]

  test('three steps, and the visitor stays', async () => {
    let cookies = new Map<string, string>()
    for (const [step, secrets] of [OLD, `${OLD} ${NEW}`, `${NEW} ${OLD}`, NEW].entries()) {
      const { runtime, ask } = await runGuide(page, {
        variables: { SESSION_SECRETS: secrets ?? '' },
      })
      afterThis(() => runtime.dispose())
      const ada = new Visitor(ask, ORIGIN)
      for (const [name, value] of cookies) ada.cookies.set(name, value)
      if (step === 0) await ada.visit('/', { method: 'POST' })
      else expect(await ada.text('/')).toBe('1 visits')
      // Only reading was enough for a new cookie where the newest secret is another than that of the cookie.
      if (step > 0)
        expect(ada.cookies.get('__Host-session') !== cookies.get('__Host-session')).toBe(step === 2)
      cookies = ada.cookies
    }
  })

  story(
    'docs/recipes/rotating-secrets.md',
    0,
    'secrets rotate in the order in which they are given',
    async ({ ask }) => {
      const ada = new Visitor(ask, ORIGIN)
      await ada.visit('/', { method: 'POST' })
      expect(await ada.text('/')).toBe('1 visits')
    },
    { variables: { SESSION_SECRETS: `${makeSecret()} ${makeSecret()}` } },
  )

  test('without the secret the Worker does not start, so nothing is sent unsigned', async () => {
    const starting = runGuide('docs/recipes/rotating-secrets.md', {
      variables: { SESSION_SECRETS: '' },
    })
    await expect(starting).rejects.toThrow('failed to start')
  })
})

story(
  'docs/recipes/without-hono.md',
  0,
  'the same session, signed in and out, without Hono',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const post = { method: 'POST' }
    expect(await ada.text('/')).toBe('Stranger, visit 1')
    expect(await ada.text('/')).toBe('Stranger, visit 2')
    const before = ada.cookies.get('__Host-session')
    expect(await ada.text('/sign-in', post)).toBe('Signed in')
    expect(ada.cookies.get('__Host-session')).not.toBe(before)
    const response = await ada.visit('/')
    expect(await response.text()).toBe('ada, visit 1')
    expect(response.headers.get('Cache-Control')).toBe('private')
    expect(await ada.text('/sign-out', post)).toBe('Signed out')
    expect(await ada.text('/')).toBe('Stranger, visit 1')
  },
)

story(
  'docs/recipes/schema.md',
  0,
  'a cart is typed by its schema, and counted',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    expect(await ada.text('/')).toBe('[]')
    expect(await ada.text('/cart/tea', { method: 'POST' })).toBe('In the cart')
    expect(JSON.parse(await ada.text('/'))).toEqual([{ item: 'tea', count: 1 }])
  },
)

story(
  'docs/recipes/audit.md',
  0,
  'a sign-in and a sign-out go through an app that logs them',
  async ({ ask }) => {
    const ada = new Visitor(ask, ORIGIN)
    const post = { method: 'POST' }
    expect(await ada.text('/sign-in/ada', post)).toBe('Signed in')
    expect(ada.cookies.size).toBe(1)
    expect(await ada.text('/sign-out', post)).toBe('Signed out')
    expect(ada.cookies.size).toBe(0)
  },
)

story('docs/recipes/audit.md', 1, 'a store in spans does what it did without', async ({ ask }) => {
  const ada = new Visitor(ask, ORIGIN)
  expect(await ada.text('/')).toBe('Visit 1')
  expect(await ada.text('/')).toBe('Visit 2')
})
