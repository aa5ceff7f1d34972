import { Signer } from '../crypto/signature.ts'
import { SessionError } from '../errors.ts'
import { cookieNames } from '../http/cookie.ts'
import { checkOptions } from '../options/check-options.ts'
import { Session, stateOf } from '../session/session.ts'
import { DEFAULT_NAME } from '../session/session-content.ts'
import type { SessionStore } from '../storage/session-store.ts'

/** The options of `sessionCookie`. */
export interface SessionCookieOptions {
  /** Whom the visitor is signed in as. Default nobody. */
  readonly owner?: string
  /** The middleware's `name`. Default `'session'`. */
  readonly name?: string
  /** The middleware's `secrets`. Default none. */
  readonly secrets?: string | readonly string[]
}

/** The middleware's defaults, in seconds. */
const LIFETIME = { idleTimeout: 86_400, absoluteTimeout: 2_592_000, touchAfter: undefined }

/**
 * A `Cookie` header value for a visitor who has that session: stores it and names its cookie value under every name the
 * middleware may look for, so that it works whatever URL the test requests.
 *
 * @example
 * const cookie = await sessionCookie(store, { cart: ['tea'] }, { owner: 'ada' })
 * const response = await app.request('/cart', { headers: { Cookie: cookie } })
 */
export async function sessionCookie<Data extends object = Record<string, unknown>>(
  store: SessionStore,
  data: Data,
  options?: SessionCookieOptions,
): Promise<string> {
  const { owner, name = DEFAULT_NAME, secrets } = checkOptions('sessionCookie()', options)
  const session = new Session()
  const state = stateOf(session)
  state.content.name = name
  state.lifetime = LIFETIME
  if (owner !== undefined) session.signIn(owner)
  for (const [key, value] of Object.entries(data)) session.set(key, value)
  const value = await store.storeSession(session)
  if (value === undefined) {
    throw new SessionError(
      'STORE_FAILED',
      'storeSession() gave no cookie value for a new session. Run the store through storeContract().',
    )
  }
  const signer = secrets === undefined ? undefined : new Signer(secrets)
  const pairs = cookieNames(name).map(async (cookieName) => {
    const signed = signer ? await signer.sign(value, cookieName) : value
    return `${cookieName}=${signed}`
  })
  return (await Promise.all(pairs)).join('; ')
}
