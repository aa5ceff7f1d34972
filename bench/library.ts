import { type Context, Hono, type MiddlewareHandler } from 'hono'
import type { Question } from './questions.ts'
import { Workload } from './workload.ts'

/** One session library behind a Hono app: the five things that the apps of this benchmark do, in its own words. */
export interface Library {
  /** Makes the session. Absent: there is none. */
  readonly middleware?: MiddlewareHandler
  /** The value under `n` in the session. */
  read(c: Context): unknown
  /** Adds one to `n` and gives what came out. */
  write(c: Context): unknown
  /** Puts `n` and `profile` into a session that was empty. */
  begin(c: Context): unknown
  /** A visitor with a session becomes a user: a new id, if the library has such a thing, and the user's name in it. */
  signIn?(c: Context): unknown
  /** The session is in the cookie: a write shows only to who sends the new one. */
  readonly inCookie?: boolean
  /** `signIn` gives a new cookie, and the old one is dead. */
  readonly rotates?: boolean
}

/** With `n`, the 200 bytes of JSON that a session holds. */
export const PROFILE = {
  name: 'Ada Lovelace',
  email: 'ada@example.com',
  theme: 'dark',
  language: 'en-GB',
  cart: [
    { sku: 'B-1842', quantity: 1 },
    { sku: 'K-0007', quantity: 3 },
  ],
  seen: 'winter-sale',
}

export interface App {
  fetch(request: Request, env: unknown, ctx: ExecutionContext): Response | Promise<Response>
}

/** The Worker of a library: it answers visitors itself, and on POST visits itself. */
export function serve(
  library: Library,
  app: App = appOf(library),
): {
  fetch(request: Request, env: unknown, ctx: ExecutionContext): Promise<Response>
} {
  const workload = new Workload(app, library)
  return {
    async fetch(request, env, ctx): Promise<Response> {
      if (request.method === 'GET') return app.fetch(request, env, ctx)
      await workload.answer(await request.json<Question>(), env, ctx)
      return Response.json(null)
    },
  }
}

export function appOf(library: Library): Hono {
  const app = new Hono()
  if (library.middleware) app.use(library.middleware)
  app.get('/', (c) => c.text('ok'))
  app.get('/read', async (c) => c.text(String(await library.read(c))))
  app.get('/write', async (c) => c.text(String(await library.write(c))))
  app.get('/begin', async (c) => {
    await library.begin(c)
    return c.text('ok')
  })
  app.get('/sign-in', async (c) => {
    await library.signIn?.(c)
    return c.text('ok')
  })
  return app
}
