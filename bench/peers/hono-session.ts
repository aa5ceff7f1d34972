import { type Session, type Storage, useSession, useSessionStorage } from '@hono/session'
import type { Context, MiddlewareHandler } from 'hono'
import { type Library, PROFILE } from '../library.ts'
import { SECRET } from '../subjects/ours.ts'

type Data = {
  n: number
  profile: typeof PROFILE
  user?: string
}

/** Its session is loaded by `get()`, which handlers wait for. It has no rotation. */
export function honoSession(storage?: Storage<Data>): Library {
  const sessionOf = (c: Context): Session<Data> => c.get('session')
  const use = useSession<Data>({ secret: SECRET, duration: { absolute: 86_400 } })
  const withStorage = storage && useSessionStorage(storage)
  const middleware: MiddlewareHandler = withStorage
    ? (c, next) => withStorage(c, async () => void (await use(c, next)))
    : use
  return {
    middleware,
    inCookie: storage === undefined,
    read: async (c) => (await sessionOf(c).get())?.n,
    async write(c) {
      await sessionOf(c).update((data) => ({ ...data, n: (data?.n ?? 0) + 1 }) as Data)
      return sessionOf(c).data?.n
    },
    begin: (c) => sessionOf(c).update({ n: 0, profile: PROFILE }),
    signIn: (c) => sessionOf(c).update((data) => ({ ...data, user: 'ada' }) as Data),
  }
}
