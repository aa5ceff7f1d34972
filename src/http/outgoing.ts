// The cookie line is built in one place and only once, when everything that it says is known.

import type { SessionState } from '../session/session-state.ts'
import { isLoopback, type SessionCookie } from './cookie.ts'
import type { CookieLine } from './response.ts'
import { warnOnce } from './warn-once.ts'

/**
 * The message to the browser about its cookie, if there is one. Kept as data until the end, because a later step of the same request
 * may change it: a `destroy()` after a `save()`, say. `isWeak`: see `CookieLine`.
 */
export type Outgoing =
  | { readonly tell: 'forget'; readonly isWeak: boolean }
  | { readonly tell: 'keep'; readonly value: string; readonly isWeak: boolean }

/** The session is over, so the browser forgets its cookie. */
export const FORGET: Outgoing = { tell: 'forget', isWeak: false }

/**
 * A new value, or a new expiry, for the browser. A weak one does not take the place of one that says more: of a sign-in that was
 * saved, and an extension after it, the sign-in is what counts.
 */
export function keep(value: string, isWeak: boolean, before: Outgoing | undefined): Outgoing {
  const wasStrong = before?.tell === 'keep' && !before.isWeak
  return { tell: 'keep', value, isWeak: isWeak && !wasStrong }
}

/** The `Set-Cookie` line that says it. `undefined` for a session that has expired by now, which is not worth a cookie. */
export function cookieLineFor(
  outgoing: Outgoing,
  state: SessionState,
  cookie: SessionCookie,
  url: string,
): CookieLine | undefined {
  if (outgoing.tell === 'forget') return { line: cookie.remove(url), isWeak: outgoing.isWeak }
  if (state.isExpired(Date.now())) return undefined
  warnIfItWillNotComeBack(cookie, url)
  const { expiry = null } = state
  const left = expiry === null ? null : Math.max(0, Math.ceil((expiry - Date.now()) / 1000))
  const line = cookie.write(outgoing.value, left, url, state.content.persistent)
  return { line, isWeak: outgoing.isWeak }
}

/** A cookie that the browser drops, or never sends here again, makes every request a new session. Nobody would know why. */
function warnIfItWillNotComeBack(cookie: SessionCookie, url: string): void {
  if (url.startsWith('http:') && cookie.isSecure(url) && !isLoopback(url)) {
    warnOnce(INSECURE_WARNING)
  }
  if (!cookie.comesBackTo(url)) warnOnce(PATH_WARNING)
}

const INSECURE_WARNING =
  'isolate-session: this request came over plain http to a host that is not loopback, so the browser will drop the Secure session cookie. ' +
  'Use https. With `wrangler dev` and routes, start it as `wrangler dev --host localhost`; to reach it from a phone, as `wrangler dev --ip 0.0.0.0 --host localhost`.'

const PATH_WARNING =
  'isolate-session: a request outside of cookie.path stored a session. The browser will not send its cookie back there, so every such request starts another one. ' +
  'Mount session() on that path only, or widen cookie.path.'
