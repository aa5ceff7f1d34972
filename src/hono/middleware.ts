// The order of the steps, and what Hono makes of what is thrown. Everything else is in src/http/.

import type { Context, MiddlewareHandler, Next } from 'hono'
import { type Outcome, RequestSession } from '../http/request-session.ts'
import { type CoreOptions, type Settings, settingsOf } from '../http/settings.ts'
import { warnOnce } from '../http/warn-once.ts'
import { Session, stateOf } from '../session/session.ts'
import { HonoExchange } from './hono-exchange.ts'

/** Adds the session to a Hono environment: `c.var.session`, or another name. */
export interface SessionEnv<
  Data extends object = Record<string, unknown>,
  Name extends string = 'session',
> {
  /** The variables of the app: the session, under the name of its middleware. */
  Variables: { [K in Name]: Session<Data> }
}

/** Durations are seconds. The functions among them are called with Hono's context. */
export interface SessionOptions<
  Data extends object = Record<string, unknown>,
  Name extends string = 'session',
> extends CoreOptions<Context, Context<SessionEnv<Data, Name>>, Data> {
  /**
   * The context variable and the cookie's base name, which must not begin with `__`. Default `'session'`. Two names live side
   * by side.
   */
  readonly name?: Name
}

/**
 * Hono middleware that gives every handler the visitor's session as `c.var.session`.
 *
 * A request without a cookie that writes nothing costs nothing: no store is made, no I/O, no random bytes, no cookie.
 * Otherwise the session is loaded once before the handler, and what the handler did is stored once after it, before the
 * response goes out. The cookie is `__Host-session; Path=/; Secure; HttpOnly; SameSite=Lax` unless `cookie` says otherwise.
 *
 * A response that depends on the session is marked `Vary: Cookie` and `Cache-Control: private`, one with a cookie `no-store`.
 *
 * A store that fails is an error for `app.onError`, never an anonymous visitor and never a success.
 *
 * @throws TypeError for an option that does not exist, a value of the wrong type, and options that contradict each other: here,
 *   not at the first request. Options that only a request knows (`cookie.domain` from the environment): make the middleware
 *   in the request, `(c, next) => session(optionsFor(c))(c, next)`. It costs a few microseconds.
 *
 * @example
 * const app = new Hono<SessionEnv<{ visits: number }>>()
 * app.use(session({ store: new MemoryStore() }))
 * app.get('/', (c) => {
 *   c.var.session.update('visits', (visits = 0) => visits + 1)
 *   return c.text(`Visit ${c.var.session.get('visits')}`)
 * })
 */
export function session<
  Data extends object = Record<string, unknown>,
  Name extends string = 'session',
>(
  options: SessionOptions<Data, Name>,
  // Called in the request, it takes the context of any app, whatever its bindings.
): ((c: Context, next: Next) => Promise<void>) & MiddlewareHandler<SessionEnv<Data, Name>> {
  const settings = settingsOf(options)
  const { name } = settings
  return async function session(c: Context, next): Promise<void> {
    const found: unknown = c.get(name)
    if (found !== undefined && isMounted(found, settings)) return next()
    const exchange = new HonoExchange(c)
    const current = new RequestSession(exchange, settings)
    try {
      const loading = current.load()
      if (loading) await loading
    } finally {
      c.set(name, current.session)
    }
    try {
      await next()
    } catch (thrown) {
      // Past us, on its way to `onError`: with `hono/combine`, or because it is no Error.
      await current.commit(outcomeOf(thrown, statusOf(thrown)))
      throw thrown
    }
    const committing = current.commit(outcomeIn(c))
    if (committing) await committing
  }
}

/** Is the session of this name ours already, from the same middleware further out? */
function isMounted(found: unknown, settings: Settings<Context>): boolean {
  const outer = found instanceof Session ? stateOf(found) : undefined
  const { manager } = outer ?? {}
  if (!manager) throw variableTaken(settings.name)
  if (outer?.phase === 'settled') return false // an earlier branch of `some`, which has ended
  const isSame = manager instanceof RequestSession && sameOptions(manager.settings, settings)
  if (!isSame) warnOnce(MOUNTED_TWICE_WARNING)
  return true
}

/** Options may be written twice, once for each mount, and still say the same. */
function sameOptions(a: Settings<never>, b: Settings<never>): boolean {
  return a === b || sameValue(a.options, b.options)
}

function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!isPlain(a) || !isPlain(b)) return false
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => sameValue(a[name], b[name]))
}

/** An object or a list that was written down, not an instance of a class. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
}

const MOUNTED_TWICE_WARNING =
  'isolate-session: session() is mounted twice under one name with different options, and the inner one does nothing. ' +
  'Mount it once, or give the inner one a `name` of its own.'

/** How the handler ended, by what is on the context after it. */
function outcomeIn(c: Context): Outcome {
  if (!c.finalized) return NO_RESPONSE
  return c.error === undefined ? SUCCESS : outcomeOf(c.error, c.res.status)
}

/** A handler that returned nothing has failed: Hono answers 500. */
const NO_RESPONSE: Outcome = { hasFailed: true, isRefused: false }

const SUCCESS: Outcome = { hasFailed: false, isRefused: false }

/** How a request ended that answers with an error. */
function outcomeOf(error: unknown, status: number): Outcome {
  const isRefusal = (code: number): boolean => code === 401 || code === 403
  return { hasFailed: status >= 500, isRefused: isRefusal(status) || isRefusal(statusOf(error)) }
}

/** The status that Hono will answer with for something thrown. An `HTTPException` has its own. */
function statusOf(thrown: unknown): number {
  const status: unknown =
    thrown instanceof Error && 'getResponse' in thrown && (thrown as { status?: unknown }).status
  return typeof status === 'number' ? status : 500
}

function variableTaken(name: string): TypeError {
  return new TypeError(
    `session(): c.var.${name} is taken by something else, perhaps the login of an auth library. Give the session another name: session({ name: 'cart', … }).`,
  )
}
