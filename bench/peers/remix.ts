import { createCookie } from '@remix-run/cookie'
import type { Session, SessionStorage } from '@remix-run/session'
import { session } from '@remix-run/session-middleware'
import type { Context } from 'hono'
import { type Library, PROFILE } from '../library.ts'
import { SECRET } from '../subjects/ours.ts'

/** Remix's middleware inside Hono: it is given what it asks of its own router, and nothing more. */
export function remix(storage: SessionStorage, inCookie: boolean): Library {
  const cookie = createCookie('session', {
    secrets: [SECRET],
    httpOnly: true,
    secure: true,
    sameSite: 'Lax',
    maxAge: 86_400,
  })
  const middleware = session(cookie, storage)
  const sessionOf = (c: Context): Session => c.get('remix')
  return {
    async middleware(c, next) {
      const context = {
        headers: c.req.raw.headers,
        has: () => c.get('remix') !== undefined,
        get: () => c.get('remix'),
        set: (_key: unknown, value: Session) => c.set('remix', value),
      }
      const response = await middleware(context as never, async () => {
        await next()
        return c.res
      })
      if (response instanceof Response && response !== c.res) {
        c.res = undefined
        c.res = response
      }
    },
    inCookie,
    rotates: !inCookie,
    read: (c) => sessionOf(c).get('n'),
    write(c) {
      const n = Number(sessionOf(c).get('n')) + 1
      sessionOf(c).set('n', n)
      return n
    },
    begin(c) {
      sessionOf(c).set('n', 0)
      sessionOf(c).set('profile', PROFILE)
    },
    signIn(c) {
      sessionOf(c).regenerateId(!inCookie)
      sessionOf(c).set('user', 'ada')
    },
  }
}
