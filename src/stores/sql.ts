/**
 * @module isolate-session/sql
 */

export type { SessionRecord } from '../session/session-record.ts'
export type { IndexedStore, KeyedStoreOptions } from '../storage/keyed-store.ts'
export type { SessionStore, SessionSummary } from '../storage/session-store.ts'
export { type Dialect, MYSQL, POSTGRES, SQLITE } from './shared/sql-dialect.ts'
export {
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from './shared/sql-store.ts'
