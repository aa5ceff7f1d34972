import type { AnySession } from '../session/session.ts'

/** On a store that does no I/O: a client that leaves cannot cancel its writes. Not exported by the package. */
export const DOES_NO_IO: unique symbol = Symbol('does no I/O')

/** A signed-in device, as `sessionsOf` lists it. Its id is safe to show: it is not the cookie value. */
export interface SessionSummary {
  /** As `session.id`; pass it to `destroySessionById`. */
  readonly id: string
  /** The `name` of the middleware that it is of. */
  readonly name: string
  /** The `device` passed to `signIn`. */
  readonly device: string | undefined
  /** When it began, or the last `signIn`. */
  readonly createdAt: Date
  /** When it was last written: exact to `touchAfter`. Of a session that the first edition wrote: `createdAt`. */
  readonly lastUsedAt: Date
  /** `undefined`: never. */
  readonly expiry: Date | undefined
}

/**
 * Storage as the middleware knows it: opaque cookie values go in, sessions come out.
 *
 * To write a store for a backend, extend `KeyedStore`, which keeps all of these rules. A bare `SessionStore` only ever
 * wraps another one.
 */
export interface SessionStore {
  /**
   * The session with this cookie value. Missing, expired, tampered, malformed or too long: `undefined`, never an error.
   * A value of the wrong shape costs no I/O and no hashing. An error means that the backend failed.
   *
   * Every call gives an independent copy: nothing that one request does is visible to another before it is stored.
   */
  loadSession(cookieValue: string): Promise<AnySession | undefined>

  /**
   * Stores what was done to the session and gives the cookie value that the client has to be sent: always for a new or
   * regenerated session, never for an unchanged id (stores that keep the session in the cookie: always).
   *
   * An insert never overwrites. An update never creates: a session that was destroyed, revoked, rotated or has expired
   * meanwhile throws `SESSION_GONE`, and nothing is written. Concurrent changes are merged, none is lost. A rotation
   * writes the new record before it removes the old one.
   *
   * @throws SessionError `SESSION_GONE`, `SESSION_CONFLICT`, `SESSION_TOO_LARGE`, `STORE_FAILED`: the stored session is unchanged.
   */
  storeSession(session: AnySession): Promise<string | undefined>

  /** Removes the session. One that is absent, or was never stored, is fine. */
  destroySession(session: AnySession): Promise<void>

  /** Removes every session of this store, and none of another. Stores that cannot enumerate throw `UNSUPPORTED`. */
  clearStore(): Promise<void>

  /** Could this store have issued that value? Without this method: 1 to 4,096 of `[A-Za-z0-9._-]`. No I/O. */
  isWellFormed?(cookieValue: string): boolean

  /**
   * Reads the record again, past every cache: afterwards the session holds what is stored, with its unsaved changes on top.
   * False: it has ended. One that was never stored stays as it is. Nothing is stored.
   */
  reloadSession?(session: AnySession): Promise<boolean>

  /** @internal */
  readonly [DOES_NO_IO]?: boolean

  /** Logged by the middleware, once per isolate, when it serves https on a host that is not loopback. */
  readonly productionWarning?: string | undefined

  /**
   * The owner's sessions, newest first; with `name` only those of the middleware of that name.
   *
   * @throws TypeError for an owner that `signIn` would not take. The two below likewise.
   */
  sessionsOf?(owner: string, options?: { name?: string }): Promise<SessionSummary[]>

  /**
   * Ends every session of that owner but the excepted one (a string is an id), and says how many. Once it resolves every
   * other cookie of theirs is dead, also for requests in flight. A `signIn` that was not yet stored may live.
   */
  destroySessionsOf?(
    owner: string,
    options?: { except?: AnySession | string; name?: string },
  ): Promise<number>

  /** Ends one session of that owner; false when the id is not theirs. */
  destroySessionById?(owner: string, id: string): Promise<boolean>
}
