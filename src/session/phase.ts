// Whether a change may still be made depends on one thing: can the response still carry a cookie? This table says when.

import { SessionError } from '../errors.ts'

/**
 * How far a request is on its way through the middleware, and what it allows there.
 *
 * `save(change)` is an exception, not a phase: it may change the session in any of them, as long as no new cookie is needed.
 */
export const PHASES = {
  /** The handler runs. */
  open: { mayChange: true, cookieCanBeSent: true },
  /** The handler is done; what it did is being stored. */
  settling: { mayChange: false, cookieCanBeSent: true },
  /** The response has its headers. */
  settled: { mayChange: false, cookieCanBeSent: false },
  /** The store failed to load the session, so nobody knows what it holds. */
  unloaded: { mayChange: false, cookieCanBeSent: false },
} as const

export type Phase = keyof typeof PHASES

/** For a change that comes when the response can carry no cookie any more. `advice` says what to do instead. */
export function committed(advice: string): SessionError {
  return new SessionError(
    'SESSION_COMMITTED',
    `The response is already settled, so this change to the session would be lost. ${advice}`,
  )
}

/** For any change after the store failed to load the session. */
export function unloaded(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The session store failed to load the session of this request, so it cannot be changed. In `app.onError` only read it.',
  )
}
