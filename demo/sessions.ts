import { type Context, Hono } from 'hono'
import { type SessionEnv, session } from '../src/index.ts'
import { remember, reporting } from './report.ts'
import type { StoreFor } from './stores.ts'
import type { Env, Visitor } from './visitor.ts'

/** Seconds. Short, so that somebody who watches sees a session end: the library's own are a day and thirty days. */
export const TIMEOUTS = { idleTimeout: 300, absoluteTimeout: 1800, touchAfter: 10 }

/** Each store has a cookie of its own, so that a visitor can have a session in every one. */
const cookieNameFor = (store: string): string =>
  store === 'memory' ? 'session' : `session-${store}`

/** An app with the visitor's session of one store in `c.var.session`, and a report of it on every response. */
export function appWith(storeName: string, store: StoreFor): Hono<Env> {
  const app = new Hono<Env>()
  const name = cookieNameFor(storeName)
  app.use(reporting(name))
  app.use(
    session<Visitor, string>({
      store,
      name,
      ...TIMEOUTS,
      onEvent: (event, c) => (c as Context as Context<Env>).var.events.push(event),
    }),
  )
  app.use(async (c, next) => {
    c.set('session', (c as Context as Context<SessionEnv<Visitor, string>>).get(name))
    await next()
  })
  app.use(remember)
  return app
}
