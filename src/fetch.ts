/**
 * @module isolate-session/fetch
 */

export type { CookieOptions } from './http/cookie.js'
export type { SessionEvent } from './http/session-event.js'
export type { CoreOptions } from './http/settings.js'
export {
  type FetchContext,
  type FetchExecutionContext,
  type FetchHandler,
  type FetchSessionOptions,
  withSession,
} from './http/with-session.js'
export type { StandardSchemaV1 } from './session/schema.js'
export type { AnySession, DeepReadonly, Session } from './session/session.js'
export type { SessionStore, SessionSummary } from './storage/session-store.js'
