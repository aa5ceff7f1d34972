/**
 * @module isolate-session/postgres
 */
import { checkOptions } from '../check-options.js'
import { driverAdvice } from '../driver-error.js'
import {
  type Dialect,
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from '../sql-store.js'

/** What is called of a postgres.js `sql`, of a `pg` `Client` or `Pool`, or of a `PGlite`. */
export type PostgresClient = PostgresJsClient | PgClient

/** The part of a postgres.js `sql`. */
export interface PostgresJsClient {
  // biome-ignore lint/suspicious/noExplicitAny: the driver's own types for parameters and rows stay its own
  unsafe(text: string, values?: any[], options?: { prepare?: boolean }): PromiseLike<any>
}

/** The part of a `pg` `Client` or `Pool`, or of a `PGlite`. */
export interface PgClient {
  query(text: string, values: unknown[]): Promise<PgResult>
}

/** What is read of a result: `pg` counts rows by one name, PGlite by the other. */
export interface PgResult {
  rows: unknown[]
  rowCount?: number | null
  affectedRows?: number
}

export type PostgresStoreOptions = SqlStoreOptions

/** Rolled back (class 40), or two migrations at once: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const TRANSIENT = /^40|23505|42P07/

const POSTGRES: Dialect = {
  quote: '"',
  // PostgreSQL cuts names after 63 bytes, and an index is called by the table's name and "_expiry".
  longestTable: 56,
  // With now(), which is not immutable, Hyperdrive does not answer from its cache: https://developers.cloudflare.com/hyperdrive/concepts/query-caching/
  columns: 'id, version, expiry, owner, body, now()',
  ifAbsent: ' ON CONFLICT DO NOTHING',
  elements: 'SELECT json_array_elements_text(?::text::json)',
  schema: (table, name) => [
    `CREATE TABLE IF NOT EXISTS ${table} (id text COLLATE "C" PRIMARY KEY, version text NOT NULL, expiry bigint, owner text COLLATE "C", body text NOT NULL)`,
    `CREATE INDEX IF NOT EXISTS "${name}_expiry" ON ${table} (expiry) WHERE expiry IS NOT NULL`,
    `CREATE INDEX IF NOT EXISTS "${name}_owner" ON ${table} (owner) WHERE owner IS NOT NULL`,
  ],
  // Rows that a request is writing are left for the next time: nobody waits for the other. As an array, or the limit may be passed.
  deleteExpired: (table, limit) =>
    `DELETE FROM ${table} WHERE id = ANY (ARRAY (SELECT id FROM ${table} WHERE expiry <= ? LIMIT ${limit} FOR UPDATE SKIP LOCKED))`,
  isTransient: (error) => TRANSIENT.test(codeOf(error)),
  isMissingTable: (error) => codeOf(error) === '42P01',
  advice: (error) => driverAdvice(error, codeOf(error).startsWith('28')),
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code)
}

/**
 * Sessions in one PostgreSQL table, through postgres.js or `pg`, or in a PGlite. Every verb is one statement. Reads are not answered from
 * Hyperdrive's cache.
 *
 * The client is yours. In a Worker make one for each request, in `store: (c) => …`, which is not called for a request that
 * needs no session. Give it the primary, not a replica, and a connection that is not inside a transaction.
 *
 * Call `migrate()` once. PostgreSQL does not expire rows by itself: call `cleanup()` from a Cron Trigger.
 */
export class PostgresStore extends SqlStore {
  readonly #client: PostgresClient

  /** @throws TypeError for a table name that is not plain, or longer than 56 characters. */
  constructor(client: PostgresClient, options?: PostgresStoreOptions) {
    super(POSTGRES, checkOptions('PostgresStore', options))
    this.#client = client
  }

  override get cacheName(): string {
    return `postgres ${this.table}`
  }

  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    let n = 0
    const text = sql.replace(/\?/g, () => `$${++n}`)
    if ('unsafe' in this.#client) {
      // Prepared by name, unless the client was made with `prepare: false`.
      const rows = await this.#client.unsafe(text, values, { prepare: true })
      return { rows, changes: rows.count }
    }
    const { rows, rowCount, affectedRows } = await this.#client.query(text, values)
    return { rows, changes: rowCount ?? affectedRows ?? 0 }
  }
}
