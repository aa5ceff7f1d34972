// The seam between the core and a framework. An adapter implements this one interface; see docs/decisions/08.

import type { CookieLine } from './response.ts'

/**
 * One request and the response to it, as the session sees them: all that the core knows of a framework.
 *
 * `context` is what the functions among the options are called with: Hono's context, or the three arguments of `fetch`.
 */
export interface Exchange<Context = unknown> {
  /** The request as it came in. A request that later middleware puts in its place does not count. */
  readonly request: Request
  readonly context: Context
  /** The response as it is now, if there is one already. */
  readonly response: Response | undefined
  /** The handler has thrown, so its response is still to come, and can be marked. */
  readonly isComing: boolean
  /** Begins to watch what is put on the response. Called once for a request that has a session. */
  watch(): void
  /**
   * Notes what middleware outside of ours has put on the response, before somebody inside adds to it. If the store fails, that
   * is all that goes out.
   */
  noteOuter(): void
  /** From now on every response says that it depends on the visitor, and carries this cookie. */
  mark(cookie?: CookieLine): void
  /** The same where there is no response yet. */
  markComing(cookie?: CookieLine): void
  /**
   * The handler is done. Its response says that it depends on the visitor, and carries this cookie; from here on it is up to
   * others.
   */
  finish(response: Response, cookie: CookieLine | undefined): void
  /** Nothing of the handler's response goes out. */
  discard(cookie?: CookieLine): void
  /** Keeps the Worker alive until this is done. */
  waitUntil(work: Promise<unknown>): void
}
