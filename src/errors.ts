// An error has to tell its reader what to do, and must not tell anybody what is in a session. So messages are written here and
// at their source as fixed text, and the backend's own error goes into `cause`.

/**
 * The kind of failure, as a stable word to switch on.
 *
 * - `STORE_FAILED`: the backend failed; its error is the `cause`.
 * - `SESSION_GONE`: destroyed, revoked, rotated or expired while this request was running; nothing was written.
 * - `SESSION_CONFLICT`: other requests kept changing the session through every retry; nothing was written.
 * - `SESSION_TOO_LARGE`: more than the store or a cookie takes; what was stored before is still there.
 * - `SESSION_COMMITTED`: a change after the response was settled, outside `save(change)`.
 * - `UNSUPPORTED`: this store or session cannot do that; the message says what to do instead.
 */
export type SessionErrorCode =
  | 'STORE_FAILED'
  | 'SESSION_GONE'
  | 'SESSION_CONFLICT'
  | 'SESSION_TOO_LARGE'
  | 'SESSION_COMMITTED'
  | 'UNSUPPORTED'

/**
 * Every failure this library raises that is not a mistake in the calling code (those are `TypeError` and `RangeError`).
 *
 * The message says what to do. It never holds a cookie value, a secret, session data or a query parameter.
 */
export class SessionError extends Error {
  /** Always `'SessionError'`, also in minified code. */
  override readonly name: string = 'SessionError'
  /** The kind of error. Test this and not the message, whose words may change. */
  readonly code: SessionErrorCode

  /** For stores of your own: throw one with `STORE_FAILED` and the backend's error as `cause`. */
  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Errors thrown by the caller's own functions. A store passes them on, because they are no failure of the backend. */
const userErrors = new WeakSet<object>()

/** Runs a function of the caller's, whose error is to reach the caller as it is. */
export function runUserCallback<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (typeof error === 'object' && error !== null) userErrors.add(error)
    throw error
  }
}

/** The backend's own error, wrapped once. */
export function storeFailed(
  action: string,
  cause: unknown,
  advice = 'Check that the backend is reachable and set up.',
): unknown {
  const isNoneOfTheBackend = typeof cause === 'object' && cause !== null && userErrors.has(cause)
  if (isNoneOfTheBackend || cause instanceof SessionError) return cause
  return new SessionError(
    'STORE_FAILED',
    `The session store failed to ${action}. ${advice} The backend's error is in \`cause\`.`,
    { cause },
  )
}

/** The session ended in another request while this one was running. */
export function sessionGone(): SessionError {
  return new SessionError(
    'SESSION_GONE',
    'The session was destroyed, revoked, rotated or has expired in the meantime. Nothing was stored. Load it again or start a new one.',
  )
}
