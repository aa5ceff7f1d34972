import type { Context, MiddlewareHandler } from 'hono'
import { DEFAULT_NAME } from './content.js'
import { type CookieOptions, SessionCookie } from './cookie.js'
import { Session, stateOf } from './session.js'
import type { SessionEvent } from './session-event.js'
import type { SessionStore } from './session-store.js'
import { Signer } from './signature.js'
import { type Settings, Visit } from './visit.js'

/** What the middleware adds to a Hono environment: `c.var.session`, or another name. */
export interface SessionEnv<
  Data extends object = Record<string, unknown>,
  Name extends string = 'session',
> {
  Variables: { [K in Name]: Session<Data> }
}

/** Durations are seconds. */
export interface SessionOptions<
  Data extends object = Record<string, unknown>,
  Name extends string = 'session',
> {
  /** Where sessions are kept. A function is called once for a request that needs it, never for one that does not. */
  readonly store: SessionStore | ((c: Context) => SessionStore | Promise<SessionStore>)
  /** The context variable and the cookie's base name. Default `'session'`. Two names live side by side. */
  readonly name?: Name
  /** A session that is not used for so long ends. Default 86,400 (a day). `false`: no such limit. */
  readonly idleTimeout?: number | false
  /** A session ends so long after it began, or after `signIn`, however much it is used. Default 2,592,000 (30 days). */
  readonly absoluteTimeout?: number | false
  /** Least time between two extensions of record and cookie. Default a tenth of the idle timeout. 0: at every request. */
  readonly touchAfter?: number
  /**
   * Signs the cookie value with HMAC-SHA-256, so that one we did not issue costs no store call. At least 32 bytes each,
   * newest first: the first signs, all verify, and a value signed by an older one is sent again under the first. A function
   * is asked in a request that needs them; if it gives none, that is an error of the request.
   */
  readonly secrets?: string | readonly string[] | ((c: Context) => string | readonly string[])
  readonly cookie?: CookieOptions
  /** Store also what a handler did that threw and ended in a 5xx. Default false: of such a request only `destroy` counts. */
  readonly saveOnError?: boolean
  /** Told what happens to sessions, for logs and metrics. One that throws does not break the request. */
  readonly onEvent?: (event: SessionEvent, c: Context<SessionEnv<Data, Name>>) => void
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
 * @throws TypeError for options that contradict each other, here and not at the first request.
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
>(options: SessionOptions<Data, Name>): MiddlewareHandler<SessionEnv<Data, Name>> {
  const settings = check(options)
  const { name } = settings
  return async function session(c: Context, next): Promise<void> {
    const outer: unknown = c.get(name)
    if (outer instanceof Session && stateOf(outer).save) return next()
    const visit = new Visit(c, settings)
    c.set(name, await visit.begin())
    try {
      await next()
    } catch (thrown) {
      await visit.abandon()
      throw thrown
    }
    await visit.settle()
  }
}

function check<Data extends object, Name extends string>(
  options: SessionOptions<Data, Name>,
): Settings {
  const {
    store,
    name = DEFAULT_NAME,
    idleTimeout = 86_400,
    absoluteTimeout = 2_592_000,
    touchAfter,
    secrets,
    cookie,
    saveOnError = false,
    onEvent,
  } = options
  if (typeof store !== 'function' && typeof store?.loadSession !== 'function') {
    throw new TypeError(
      'session(): store must be a session store, or a function of the context that gives one.',
    )
  }
  const isDuration = (value: unknown): boolean => Number.isFinite(value) && Number(value) > 0
  for (const [option, value] of Object.entries({ idleTimeout, absoluteTimeout })) {
    if (value === false || isDuration(value)) continue
    throw new TypeError(
      `session(): ${option} must be a positive, finite number of seconds, or false.`,
    )
  }
  if (touchAfter !== undefined && touchAfter !== 0 && !isDuration(touchAfter)) {
    throw new TypeError('session(): touchAfter must be 0 or a positive, finite number of seconds.')
  }
  return {
    name,
    store,
    cookie: new SessionCookie(name, cookie),
    signer: 'secrets' in options ? signerOf(secrets) : undefined,
    lifetime: { idleTimeout, absoluteTimeout, touchAfter },
    saveOnError,
    onEvent,
  }
}

/** An option that is there but undefined is a secret that somebody forgot to set, not a wish for unsigned cookies. */
function signerOf(secrets: SessionOptions['secrets']): Settings['signer'] {
  return typeof secrets === 'function' ? (c) => new Signer(secrets(c)) : new Signer(secrets)
}
