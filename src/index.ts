/**
 * Sessions for Hono on Cloudflare Workers.
 *
 * @module isolate-session
 */

export { SessionError, type SessionErrorCode } from './errors.js'
export { type SessionEnv, type SessionOptions, session } from './hono/middleware.js'
export type { CookieOptions } from './http/cookie.js'
export type { SessionEvent } from './http/session-event.js'
export type { CoreOptions } from './http/settings.js'
export type { StandardSchemaV1 } from './session/schema.js'
export { type AnySession, type DeepReadonly, Session } from './session/session.js'
export type { SessionRecord } from './session/session-record.js'
export { CookieStore, type CookieStoreOptions } from './storage/cookie-store.js'
export { IndexedStore, KeyedStore, type KeyedStoreOptions } from './storage/keyed-store.js'
export { MemoryStore, type MemoryStoreOptions } from './storage/memory-store.js'
export type { SessionStore, SessionSummary } from './storage/session-store.js'
