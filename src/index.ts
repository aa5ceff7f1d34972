/**
 * Sessions for Hono on Cloudflare Workers.
 *
 * @module isolate-session
 */
export type { CookieOptions } from './cookie.js'
export { CookieStore, type CookieStoreOptions } from './cookie-store.js'
export { SessionError, type SessionErrorCode } from './errors.js'
export { KeyedStore, type KeyedStoreOptions } from './keyed-store.js'
export { MemoryStore, type MemoryStoreOptions } from './memory-store.js'
export { type SessionEnv, type SessionOptions, session } from './middleware.js'
export { type DeepReadonly, Session } from './session.js'
export type { SessionEvent } from './session-event.js'
export type { SessionRecord } from './session-record.js'
export type { SessionStore, SessionSummary } from './session-store.js'
