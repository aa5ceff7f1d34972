/**
 * Sessions for Hono on Cloudflare Workers.
 *
 * @module isolate-session
 */

export { SessionError, type SessionErrorCode } from './errors.ts'
export { type SessionEnv, type SessionOptions, session } from './hono/middleware.ts'
export type { CookieOptions } from './http/cookie.ts'
export type { SessionEvent } from './http/session-event.ts'
export type { CoreOptions } from './http/settings.ts'
export type { StandardSchemaV1 } from './session/schema.ts'
export { type AnySession, type DeepReadonly, Session } from './session/session.ts'
export type { SessionRecord } from './session/session-record.ts'
export { CookieStore, type CookieStoreOptions } from './storage/cookie-store.ts'
export { IndexedStore, KeyedStore, type KeyedStoreOptions } from './storage/keyed-store.ts'
export { MemoryStore, type MemoryStoreOptions } from './storage/memory-store.ts'
export type { SessionStore, SessionSummary } from './storage/session-store.ts'
