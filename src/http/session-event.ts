/** What happened to a session, for logs and metrics. `id` is safe to log; no event holds a cookie value or data. */
export type SessionEvent =
  /** `regenerated` has the new id; `gone`: ended while this request was running, whose changes were dropped. */
  | { readonly type: 'created' | 'regenerated' | 'destroyed' | 'gone'; readonly id: string }
  /** A cookie that is no session here. `unknown` is also what another isolate's MemoryStore may know. */
  | {
      readonly type: 'rejected'
      readonly reason: 'malformed' | 'signature' | 'duplicate' | 'unknown'
    }
  /** Stored in the end, after other requests had been faster. */
  | { readonly type: 'conflict'; readonly id: string; readonly attempts: number }
