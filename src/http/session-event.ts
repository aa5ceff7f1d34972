/**
 * What happened to a session, for logs and metrics. Ids and owners are safe to log; no event holds a cookie value or data.
 *
 * `owner` is `undefined` for a session of nobody. Of a session that has ended it is whose it was.
 */
export type SessionEvent =
  /** `destroyed`: by this request. `gone`: it ended while this request was running, whose changes were dropped. */
  | {
      readonly type: 'created' | 'destroyed' | 'gone'
      readonly id: string
      readonly owner: string | undefined
    }
  /** It has a new id, and the previous one is dead. */
  | {
      readonly type: 'regenerated'
      readonly id: string
      readonly previousId: string
      readonly owner: string | undefined
    }
  /** A cookie that is no session here. `unknown` is also what another isolate's MemoryStore may know. */
  | {
      readonly type: 'rejected'
      readonly reason: 'malformed' | 'signature' | 'duplicate' | 'unknown'
    }
  /** Stored in the end, after other requests had been faster. */
  | { readonly type: 'conflict'; readonly id: string; readonly attempts: number }
