/**
 * @module isolate-session/fetch
 */

export type { CookieOptions } from './http/cookie.ts'
export type { SessionEvent } from './http/session-event.ts'
export type { CoreOptions } from './http/settings.ts'
export {
  type FetchContext,
  type FetchExecutionContext,
  type FetchHandler,
  type FetchSessionOptions,
  withSession,
} from './http/with-session.ts'
export type { StandardSchemaV1 } from './session/schema.ts'
export type { AnySession, DeepReadonly, Session } from './session/session.ts'
export type { SessionStore, SessionSummary } from './storage/session-store.ts'
