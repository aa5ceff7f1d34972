// Options are checked where the middleware is made, so that a mistake shows when the app starts and not when somebody visits.

import { Signer } from '../crypto/signature.ts'
import { checkOptions } from '../options/check-options.ts'
import { isStore } from '../options/options.ts'
import type { Lifetime } from '../session/lifetime.ts'
import type { Schemas, StandardSchemaV1 } from '../session/schema.ts'
import { DEFAULT_NAME } from '../session/session-content.ts'
import { DOES_NO_IO, type SessionStore } from '../storage/session-store.ts'
import { type CookieOptions, SessionCookie } from './cookie.ts'
import type { SessionEvent } from './session-event.ts'
import type { StoreOption } from './store-of-request.ts'

/** Options that do not depend on a framework. Durations are seconds. `Context` is what functions among them are called with. */
export interface CoreOptions<
  Context,
  EventContext = Context,
  Data extends object = Record<string, unknown>,
> {
  /** Where sessions are kept. If a function, it is called at most once per request, and only when the session is needed. */
  readonly store: SessionStore | ((context: Context) => SessionStore | Promise<SessionStore>)
  /**
   * Ends the session after this much inactivity. Default 86,400 (a day), or `absoluteTimeout` if that is shorter; `false`
   * disables the limit. It must not be longer than `absoluteTimeout`, which would end the session first.
   */
  readonly idleTimeout?: number | false
  /** Ends the session this long after it began, or after `signIn`, however much it is used. Default 2,592,000 (30 days). */
  readonly absoluteTimeout?: number | false
  /**
   * Least time between two extensions of record and cookie. Default a tenth of the idle timeout, and always shorter than that.
   * With 0 every request extends.
   */
  readonly touchAfter?: number
  /**
   * Signs the cookie value with HMAC-SHA-256, so that one we did not issue costs no store call. At least 32 bytes each,
   * newest first: the first signs, all verify, and a value signed by an older one is sent again under the first. If a
   * function, it is called in a request that needs them; if it returns none, that request fails: cookies are never sent unsigned.
   */
  readonly secrets?: string | readonly string[] | ((context: Context) => string | readonly string[])
  /** The attributes of the cookie. Default: `Path=/; Secure; HttpOnly; SameSite=Lax`, and as lasting as the session. */
  readonly cookie?: CookieOptions
  /** Store also what a handler did that threw and ended in a 5xx. Default false: of such a request only `destroy` counts. */
  readonly saveOnError?: boolean
  /**
   * A Standard Schema (zod, valibot, arktype; https://standardschema.dev) for some of the keys. What `get` gives, and `update`
   * starts from, is what the schema makes of the stored value; one that it refuses is as if it were not there. It runs
   * when a key is first read in a request, and must be synchronous. Nothing is written because of it. `Data` is inferred from it.
   */
  readonly schema?: { readonly [K in keyof Data]?: StandardSchemaV1<unknown, Data[K]> }
  /** Called with what happens to sessions, for logs and metrics. One that throws does not break the request. */
  readonly onEvent?: (event: SessionEvent, context: EventContext) => void
  /**
   * The cookie's base name, and what tells the sessions of one middleware from another's. It must not begin with `__`. Default
   * `'session'`.
   */
  readonly name?: string
}

/** The options, checked. */
export interface Settings<Context> {
  readonly name: string
  /** The options as they were passed. */
  readonly options: object
  readonly store: StoreOption<Context>
  /** A client that leaves could cancel what the store is doing. Of a store that a function makes nothing is known. */
  readonly mayBeCancelled: boolean
  readonly cookie: SessionCookie
  /** Signs the cookie's value, if it is to be signed. */
  readonly signer: Signer | ((context: Context) => Signer) | undefined
  readonly lifetime: Lifetime
  readonly schema: Schemas | undefined
  readonly saveOnError: boolean
  readonly onEvent: ((event: SessionEvent, context: Context) => void) | undefined
}

/** @throws TypeError for options that do not exist, are of the wrong type or contradict each other. */
export function settingsOf<Context, EventContext, Data extends object>(
  options: CoreOptions<Context, EventContext, Data>,
): Settings<Context> {
  if (isStore(options) || isStore((options as { prototype?: unknown } | undefined)?.prototype)) {
    throw new TypeError(
      'session(): pass the store as an option: session({ store: new MemoryStore() }).',
    )
  }
  const checked = checkOptions('session()', options)
  const {
    store,
    name = DEFAULT_NAME,
    secrets,
    cookie,
    schema,
    saveOnError = false,
    onEvent,
  } = checked
  return {
    name,
    options,
    store,
    mayBeCancelled: typeof store === 'function' || store[DOES_NO_IO] !== true,
    cookie: new SessionCookie(name, cookie),
    signer: 'secrets' in options ? signerOf(secrets) : undefined,
    lifetime: lifetimeOf(checked),
    schema: schema as Schemas | undefined,
    saveOnError,
    onEvent: onEvent as Settings<Context>['onEvent'],
  }
}

/** The timeouts, with the defaults that depend on each other. */
function lifetimeOf({
  absoluteTimeout = 2_592_000,
  idleTimeout = Math.min(86_400, absoluteTimeout || Number.POSITIVE_INFINITY),
  touchAfter,
}: Pick<CoreOptions<unknown>, 'idleTimeout' | 'absoluteTimeout' | 'touchAfter'>): Lifetime {
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
function signerOf<Context>(secrets: CoreOptions<Context>['secrets']): Settings<Context>['signer'] {
  if (typeof secrets !== 'function') return new Signer(secrets)
  return (context) => new Signer(secrets(context))
}
