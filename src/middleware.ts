import type { Context, MiddlewareHandler, Next } from 'hono'
import { checkOptions } from './check-options.js'
import { DEFAULT_NAME } from './content.js'
import { type CookieOptions, SessionCookie } from './cookie.js'
import type { Lifetime } from './lifetime.js'
import { isStore } from './options.js'
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
  /** The context variable and the cookie's base name, which must not begin with `__`. Default `'session'`. Two names live side by side. */
  readonly name?: Name
  /**
   * A session that is not used for so long ends. Default 86,400 (a day), or `absoluteTimeout` if that is shorter. `false`: no such
   * limit. It must not be longer than `absoluteTimeout`, which would end the session first.
   */
  readonly idleTimeout?: number | false
  /** A session ends so long after it began, or after `signIn`, however much it is used. Default 2,592,000 (30 days). */
  readonly absoluteTimeout?: number | false
  /**
   * Least time between two extensions of record and cookie. Default a tenth of the idle timeout, and always shorter than that.
   * 0: at every request.
   */
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
  // biome-ignore lint/suspicious/noExplicitAny: called in the request, it takes the context of any app, whatever its bindings
): ((c: Context<any>, next: Next) => Promise<void>) & MiddlewareHandler<SessionEnv<Data, Name>> {
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
  if (isStore(options)) {
    throw new TypeError('session(): pass the store as an option, session({ store }).')
  }
  const checked = checkOptions('session()', options)
  const { store, name = DEFAULT_NAME, secrets, cookie, saveOnError = false, onEvent } = checked
  return {
    name,
    store,
    cookie: new SessionCookie(name, cookie),
    signer: 'secrets' in options ? signerOf(secrets) : undefined,
    lifetime: lifetimeOf(checked),
    saveOnError,
    onEvent,
  }
}

function lifetimeOf({
  absoluteTimeout = 2_592_000,
  idleTimeout = Math.min(86_400, absoluteTimeout || Number.POSITIVE_INFINITY),
  touchAfter,
}: Pick<SessionOptions, 'idleTimeout' | 'absoluteTimeout' | 'touchAfter'>): Lifetime {
  if (idleTimeout && absoluteTimeout && idleTimeout > absoluteTimeout) {
    throw new TypeError(
      'session(): idleTimeout is longer than absoluteTimeout (30 days unless you set it), so it would never end a session. ' +
        'Durations are seconds, not milliseconds. If you mean it, raise absoluteTimeout as well.',
    )
  }
  if (idleTimeout && touchAfter !== undefined && touchAfter >= idleTimeout) {
    throw new TypeError(
      'session(): touchAfter must be shorter than the idle timeout (a day unless you set it), or sessions would end while they are in use. ' +
        'Durations are seconds, not milliseconds.',
    )
  }
  return { idleTimeout, absoluteTimeout, touchAfter }
}

/** An option that is there but undefined is a secret that somebody forgot to set, not a wish for unsigned cookies. */
function signerOf(secrets: SessionOptions['secrets']): Settings['signer'] {
  return typeof secrets === 'function' ? (c) => new Signer(secrets(c)) : new Signer(secrets)
}
