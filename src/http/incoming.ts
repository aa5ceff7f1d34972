// The request's cookie is the only input that an attacker controls completely. Nothing of it reaches a store before its shape,
// and its signature if there is one, have been checked.

import type { Signer } from '../crypto/signature.ts'
import { SessionError, storeFailed } from '../errors.ts'
import { type AnySession, Session, stateOf } from '../session/session.ts'
import type { SessionState } from '../session/session-state.ts'
import type { SessionStore } from '../storage/session-store.ts'

/** The values of a store that has no `isWellFormed`. */
const DEFAULT_SHAPE = /^[\w.-]{1,4096}$/

/** Why a cookie is no session here. The first two can never become one, so the browser may forget it. */
export type Rejection = 'malformed' | 'signature' | 'duplicate' | 'unknown'

/**
 * The meaning of the request's cookie. `value`: as the store issued it. `isCurrent`: signed by the newest secret, or not signed
 * at all.
 */
export type Incoming =
  | { readonly is: 'rejected'; readonly reason: Rejection }
  | {
      readonly is: 'known'
      readonly session: AnySession
      readonly state: SessionState
      readonly value: string
      readonly isCurrent: boolean
    }

/** The part of a request that this needs. The store and the signer are made when they are first needed. */
export interface Opener {
  readonly settings: { readonly name: string; readonly signer: unknown }
  readonly cookieName: string
  openSigner(): Signer | undefined
  openStore(): SessionStore | Promise<SessionStore>
}

/**
 * Finds the session that a cookie names.
 *
 * The cheapest check comes first: a value that was tampered with, or that no store could have issued, costs no store call.
 *
 * @throws SessionError `STORE_FAILED` if the store fails, or gives something that is no session of its own.
 */
export async function identify(rawValue: string, request: Opener): Promise<Incoming> {
  const { name, signer } = request.settings
  const verified = signer ? await verify(rawValue, request) : { value: rawValue, isCurrent: true }
  if (!verified) return rejected('signature')
  const opened = request.openStore()
  const store = opened instanceof Promise ? await opened : opened
  let session: unknown
  try {
    if (!isWellFormed(store, verified.value)) return rejected('malformed')
    session = await store.loadSession(verified.value)
  } catch (error) {
    throw storeFailed('load a session', error)
  }
  if (session === undefined) return rejected('unknown')
  if (!(session instanceof Session)) throw noSession()
  const state = stateOf(session)
  if (state.manager) throw noSession()
  // Two middlewares may share a store, but not each other's sessions.
  if (state.content.name !== name) return rejected('unknown')
  return { is: 'known', session, state, ...verified }
}

/** Could the store have issued this value? Asked before a value is looked up, and before one goes into a header. */
export function isWellFormed(store: SessionStore, value: string): boolean {
  return store.isWellFormed ? store.isWellFormed(value) : DEFAULT_SHAPE.test(value)
}

function rejected(reason: Rejection): Incoming {
  return { is: 'rejected', reason }
}

/** The value that was signed. Nothing is computed for one that no cookie can hold. */
async function verify(rawValue: string, request: Opener): ReturnType<Signer['verify']> {
  const signer = request.openSigner()
  return DEFAULT_SHAPE.test(rawValue) ? signer?.verify(rawValue, request.cookieName) : undefined
}

function noSession(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The session store gave something from loadSession() that is no session of its own, or the session of another request. Extend KeyedStore, or check that isolate-session is installed only once.',
  )
}
