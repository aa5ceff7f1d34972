/**
 * What happened to a session, for logs and metrics. Ids and owners are safe to log; no event holds a cookie value or data.
 *
 * `owner` is `undefined` for a session of nobody. Of a session that has ended it is whose it was.
 */
export type SessionEvent =
  /** `destroyed`: by this request. `gone`: it ended while this request was running, whose changes were dropped. */
  | {
      /** What happened. */
      readonly type: 'created' | 'destroyed' | 'gone'
      /** As `session.id`. */
      readonly id: string
      /** Whose it is, or was. */
      readonly owner: string | undefined
    }
  /** It has a new id, and the previous one is dead. */
  | {
      /** `signIn` or `regenerate` has taken effect. */
      readonly type: 'regenerated'
      /** The new id. */
      readonly id: string
      /** The id that is dead. */
      readonly previousId: string
      /** Whose it is now. */
      readonly owner: string | undefined
    }
  /** A cookie that is no session here. `unknown` is also what another isolate's MemoryStore may know. */
  | {
      /** The request goes on with a new session. */
      readonly type: 'rejected'
      /** Why. The first two make the browser forget the cookie. */
      readonly reason: 'malformed' | 'signature' | 'duplicate' | 'unknown'
    }
  /** Stored in the end, after other requests had been faster. */
  | {
      /** Nothing was lost; many of these mean that one session is written very often. */
      readonly type: 'conflict'
      /** As `session.id`. */
      readonly id: string
      /** How many attempts it took, 2 at least. */
      readonly attempts: number
    }
