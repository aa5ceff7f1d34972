import type { Context } from 'hono'
import { CookieStore, type MemoryStore, type Session, sessionMiddleware } from 'hono-sessions'
import { type Library, PROFILE } from '../library.ts'
import { SECRET } from '../subjects/ours.ts'

interface Data {
  n: number
  profile: typeof PROFILE
  user: string
}

export function honoSessions(store: MemoryStore | CookieStore, encrypted: boolean): Library {
  const sessionOf = (c: Context): Session<Data> => c.get('session')
  const inCookie = store instanceof CookieStore
  return {
    middleware: sessionMiddleware({
      store,
      ...(encrypted && { encryptionKey: SECRET }),
      expireAfterSeconds: 86_400,
      cookieOptions: { path: '/', httpOnly: true, secure: true, sameSite: 'Lax' },
    }),
    inCookie,
    rotates: !inCookie,
    read: (c) => sessionOf(c).get('n'),
    write(c) {
      const n = (sessionOf(c).get('n') ?? 0) + 1
      sessionOf(c).set('n', n)
      return n
    },
    begin(c) {
      sessionOf(c).set('n', 0)
      sessionOf(c).set('profile', PROFILE)
    },
    signIn(c) {
      c.set('session_key_rotation', true)
      sessionOf(c).set('user', 'ada')
    },
  }
}
