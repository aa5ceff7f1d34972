/**
 * @module isolate-session/sql
 */

export type { SessionRecord } from '../session/session-record.js'
export type { IndexedStore, KeyedStoreOptions } from '../storage/keyed-store.js'
export type { SessionStore, SessionSummary } from '../storage/session-store.js'
export { type Dialect, MYSQL, POSTGRES, SQLITE } from './shared/sql-dialect.js'
export {
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from './shared/sql-store.js'
