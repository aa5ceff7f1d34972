/**
 * @module isolate-session/postgres
 */
import { checkOptions } from '../options/check-options.ts'
import { checkClient, type Lookalike } from './shared/client.ts'
import { COLUMNS, POSTGRES } from './shared/sql-dialect.ts'
import {
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from './shared/sql-store.ts'

export type { SqlStore, SqlStoreOptions } from './shared/sql-store.ts'

/** The subset of a postgres.js `sql`, of a `pg` `Client` or `Pool`, or of a `PGlite` that `PostgresStore` uses. */
export type PostgresClient = PostgresJsClient | PgClient

/** The subset of a postgres.js `sql` that `PostgresStore` uses. */
export interface PostgresJsClient {
  /** As `sql.unsafe`: the text of a statement and its parameters. */
  unsafe(text: string, values?: SqlValue[], options?: { prepare?: boolean }): PromiseLike<unknown>
}

/** The subset of a `pg` `Client` or `Pool`, or of a `PGlite`, that `PostgresStore` uses. */
export interface PgClient {
  /** As `Client.query` and `Pool.query`. */
  query(text: string, values: unknown[]): Promise<PgResult>
}

/** The parts of a result that are read: `pg` counts rows by one name, PGlite by the other. */
export interface PgResult {
  /** The rows of a query, by the names of their columns. */
  rows: unknown[]
  /** How many rows a statement has changed, as `pg` says it. */
  rowCount?: number | null
  /** How many rows a statement has changed, as PGlite says it. */
  affectedRows?: number
}

/** The options of `PostgresStore`. */
export type PostgresStoreOptions = SqlStoreOptions

const TAKES = 'PostgresStore takes a postgres.js `sql`, a `pg` Client or Pool, or a PGlite'

const LOOKALIKES: readonly Lookalike[] = [
  {
    // Its unsafe() sends nothing: it marks text for a template.
    matches: (client) =>
      typeof (client as unknown) === 'function' &&
      typeof client.transaction === 'function' &&
      client.begin === undefined,
    advice:
      'for neon() pass Pool or Client of @neondatabase/serverless, or `{ query: (text, values) => sql.query(text, values, { fullResults: true }) }`.',
  },
]

/**
 * Sessions in one PostgreSQL table, through postgres.js or `pg`, or in a PGlite. Every operation is one statement. Reads are
 * not answered from Hyperdrive's cache.
 *
 * The client is yours. In a Worker create one for each request, in `store: (c) => …`, which is not called for a request that
 * needs no session. Give it the primary, not a replica, and a connection that is not inside a transaction.
 *
 * Call `migrate()` once. PostgreSQL does not expire rows by itself: call `cleanup()` from a Cron Trigger.
 *
 * @throws TypeError for a table name that is not plain, or longer than 56 characters, and for a client of another kind.
 */
export class PostgresStore extends SqlStore {
  readonly #client: PostgresClient

  /**
   * Sessions in one table, which `migrate()` creates.
   *
   * @throws TypeError for a table name that is not plain, and for what is no client of `postgres` or `pg`.
   */
  constructor(client: PostgresClient, options?: PostgresStoreOptions) {
    super(POSTGRES, checkOptions('PostgresStore', options))
    checkClient(
      client,
      TAKES,
      ({ unsafe, query }) => typeof (unsafe ?? query) === 'function',
      LOOKALIKES,
    )
    this.#client = client
  }

  /** @inheritDoc */
  override get cacheName(): string {
    return `postgres ${this.table}`
  }

  /** @inheritDoc */
  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    if ('unsafe' in this.#client) {
      // Prepared by name, unless the client was made with `prepare: false`.
      const query: Query = this.#client.unsafe(sql, values, { prepare: true })
      // As arrays, if the client can: then no `transform` renames the columns.
      const rows = ((await query.values?.()) ?? (await query)) as Partial<Rows> | undefined
      return { rows: rows?.map?.(named(sql)), changes: rows?.count } as SqlResult
    }
    const { rows, rowCount, affectedRows } = await this.#client.query(sql, values)
    // Neither is a number after a statement that changes no rows.
    return { rows, changes: (rowCount ?? affectedRows) as number }
  }
}

/** A query of postgres.js. `values` is not in every client with an `unsafe`. */
interface Query extends PromiseLike<unknown> {
  values?(): PromiseLike<unknown>
}

/** Its result, if it is what it should be. */
interface Rows extends Array<unknown> {
  readonly count: number
}

/** Gives a row that came as an array its names. */
function named(sql: string): (row: unknown) => unknown {
  const names = sql.startsWith('SELECT count') ? ['n'] : COLUMNS
  return (row) =>
    Array.isArray(row) ? Object.fromEntries(names.map((name, i) => [name, row[i]])) : row
}
