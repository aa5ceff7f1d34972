/**
 * @module isolate-session/d1
 */
import { checkOptions } from '../check-options.js'
import {
  type Dialect,
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from '../sql-store.js'

/** What is called of a `D1Database`. */
export interface D1Client {
  prepare(sql: string): D1Statement
  withSession?(constraint: string): { prepare(sql: string): D1Statement }
}

/** What is called of a `D1PreparedStatement`. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  all(): Promise<D1Answer>
  run(): Promise<D1Answer>
}

/** What is read of a `D1Result`. */
export interface D1Answer {
  results: unknown[]
  meta: { changes?: number }
}

export type D1StoreOptions = SqlStoreOptions

/** Says that nothing was done, or that the database was started anew: https://developers.cloudflare.com/d1/observability/debug-d1/ */
const TRY_AGAIN = /overloaded|Network connection lost|reset because|caused object to be reset/i

const D1: Dialect = {
  quote: '"',
  longestTable: 63,
  columns: '*',
  ifAbsent: ' ON CONFLICT DO NOTHING',
  elements: 'SELECT value FROM json_each(?)',
  /** Without a rowid the primary key is the table, so an insert writes one row and not two; D1 bills every one. */
  schema: (table, name) => [
    `CREATE TABLE IF NOT EXISTS ${table} (id TEXT PRIMARY KEY, version TEXT NOT NULL, expiry INTEGER, owner TEXT, body TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS "${name}_expiry" ON ${table} (expiry) WHERE expiry IS NOT NULL`,
    `CREATE INDEX IF NOT EXISTS "${name}_owner" ON ${table} (owner) WHERE owner IS NOT NULL`,
  ],
  deleteExpired: (table, limit) =>
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE expiry <= ? LIMIT ${limit})`,
  isTransient: (error) => TRY_AGAIN.test(String(error)),
  isMissingTable: (error) => String(error).includes('no such table'),
}

/**
 * Sessions in one D1 table. Every verb is one statement; reads see the latest write, also with read replication on.
 *
 * Call `migrate()` once, or apply `src/stores/d1.sql` with `wrangler d1 migrations`. D1 does not expire rows by itself: call
 * `cleanup()` from a Cron Trigger, for which `D1Store.scheduled` is ready.
 */
export class D1Store extends SqlStore {
  readonly #db: D1Client

  /** @throws TypeError for a table name that is not plain. */
  constructor(db: D1Client, options?: D1StoreOptions) {
    super(D1, checkOptions('D1Store', options))
    this.#db = db
  }

  /**
   * A `scheduled` handler that removes expired rows, a thousand at a time, until none is left.
   *
   * @example
   * export default { fetch: app.fetch, scheduled: D1Store.scheduled((env: Env) => env.DB) }
   */
  static scheduled<Env>(
    database: (env: Env) => D1Client,
    options?: D1StoreOptions,
  ): (controller: unknown, env: Env) => Promise<void> {
    if (typeof database !== 'function') {
      throw new TypeError('D1Store.scheduled: pass a function, such as (env) => env.DB.')
    }
    checkOptions('D1Store', options)
    return async (_controller, env) => {
      const store = new D1Store(database(env), options)
      while ((await store.cleanup()) > 0);
    }
  }

  override get cacheName(): string {
    return `d1 ${this.table}`
  }

  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    const isRead = sql.startsWith('SELECT')
    // From the primary: a replica may not have the last write yet.
    const db = (isRead && this.#db.withSession?.('first-primary')) || this.#db
    const statement = db.prepare(sql).bind(...values)
    const { results, meta } = await (isRead ? statement.all() : statement.run())
    return { rows: results, changes: meta.changes ?? 0 }
  }
}
