// Somebody who has set something up wrongly reads one clear error, with the driver's as its cause and no credentials.
import { inspect } from 'node:util'
import { Hono } from 'hono'
import { describe, expect, inject, test } from 'vitest'
import { type Session, SessionError, session } from '../../src/index.ts'
import { CLIENTS, type ClientRecipe } from './support/clients.ts'
import { freePort } from './support/servers.ts'

const known = inject('servers')

const SECRET = 'a-secret-of-hers'
const WRONG_PASSWORD = 'a-password-that-is-wrong'

/** A visit to an app whose store is opened as the guide says, and what its `onError` is given. */
async function errorOf(open: ClientRecipe['open'], url: string): Promise<SessionError> {
  let seen: unknown
  let close: (() => Promise<unknown>) | undefined
  const app = new Hono()
  app.use(
    session({
      store: async () => {
        const opened = await open(url)
        close = opened.close
        return opened.store
      },
    }),
  )
  app.post('/', (c) => {
    ;(c.get('session' as never) as Session).set('secret', SECRET)
    return c.text('stored')
  })
  app.onError((error, c) => {
    seen = error
    return c.text('failed', 500)
  })
  const response = await app.request('https://shop.example/', { method: 'POST' })
  await close?.().catch(() => {})
  expect(response.status).toBe(500)
  expect(response.headers.getSetCookie()).toEqual([])
  expect(seen).toBeInstanceOf(SessionError)
  return seen as SessionError
}

function checkSilence(error: SessionError, url: string): void {
  const { password, username } = new URL(url)
  const told = `${error.message} ${inspect(error, { depth: 9 })}`
  expect(told).not.toContain(SECRET)
  if (password) expect(told).not.toContain(password)
  if (username) expect(error.message).not.toContain(username)
}

for (const [name, { kind, open }] of Object.entries(CLIENTS)) {
  describe(`${name}: what is told when`, () => {
    test('nobody answers at that port', async () => {
      const path = kind === 'redis' ? '' : '/test'
      const url = `${kind}://ada:${WRONG_PASSWORD}@127.0.0.1:${await freePort()}${path}`
      const error = await errorOf(open, url)
      expect(error).toMatchObject({ code: 'STORE_FAILED', cause: expect.any(Error) })
      expect(error.message).toMatch(/check (server, host, port|that the backend is reachable)/i)
      checkSilence(error, url)
    })

    const url = known[kind] ?? ''
    // The server that stands in for MongoDB knows no logins: see mongodb.test.ts for what is told there.
    if (kind !== 'mongodb')
      test.skipIf(url === '')('the password is wrong', async () => {
        const wrong = new URL(url)
        wrong.password = WRONG_PASSWORD
        const error = await errorOf(open, wrong.href)
        expect(error).toMatchObject({ code: 'STORE_FAILED', cause: expect.any(Error) })
        expect(error.message).toMatch(
          /check (user, password and rights|server, host, port, login|that the backend is reachable)/i,
        )
        checkSilence(error, wrong.href)
      })

    test.skipIf(url === '')('the client was closed', async () => {
      const { store, close } = await open(url)
      await store.migrate?.()
      await close()
      const error = await store.loadSession('A'.repeat(43)).catch((error: unknown) => error)
      expect(error).toMatchObject({ code: 'STORE_FAILED', cause: expect.any(Error) })
      expect((error as Error).message).toContain('closed after the response')
    })
  })
}
