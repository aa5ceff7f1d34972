import type { Context } from 'hono'
import type { Session } from '../../src/index.ts'
import { type SessionEnv, type SessionOptions, session } from '../../src/index.ts'
import { type Library, PROFILE } from '../library.ts'

interface Data {
  n: number
  profile: typeof PROFILE
}

/** This library with one store or another. */
export function ours(options: SessionOptions<Data>, inCookie = false): Library {
  const sessionOf = (c: Context): Session<Data> => (c as Context<SessionEnv<Data>>).var.session
  return {
    middleware: session(options),
    inCookie,
    rotates: true,
    read: (c) => sessionOf(c).get('n'),
    write(c) {
      const visitor = sessionOf(c)
      visitor.update('n', (n = 0) => n + 1)
      return visitor.get('n')
    },
    begin(c) {
      sessionOf(c).set('n', 0)
      sessionOf(c).set('profile', PROFILE)
    },
    signIn: (c) => sessionOf(c).signIn('ada', { keep: ['n', 'profile'] }),
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** As long as a random one. Computed, so that there is none in this repository that somebody could copy. */
export const SECRET: string = Array.from(
  { length: 44 },
  (_, i) => ALPHABET[(i ** 3 * 11 + 7) % 61],
).join('')
