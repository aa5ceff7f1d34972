/**
 * @module isolate-session/sql
 */
export type { KeyedStoreOptions } from '../keyed-store.js'
export type { SessionRecord } from '../session-record.js'
export type { SessionStore, SessionSummary } from '../session-store.js'
export { type Dialect, MYSQL, POSTGRES, SQLITE } from '../sql-dialect.js'
export { type SqlResult, SqlStore, type SqlStoreOptions, type SqlValue } from '../sql-store.js'
