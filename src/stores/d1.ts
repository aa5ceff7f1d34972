/**
 * @module isolate-session/d1
 */
import { checkOptions } from '../options/check-options.js'
import { answerNotUnderstood, checkBinding, checkClient, type Lookalike } from './shared/client.js'
import { type Dialect, SQLITE } from './shared/sql-dialect.js'
import {
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from './shared/sql-store.js'

/** The subset of a `D1Database` that `D1Store` uses. */
export interface D1Client {
  prepare(sql: string): D1Statement
  withSession?(constraint: string): { prepare(sql: string): D1Statement }
}

/** The subset of a `D1PreparedStatement` that `D1Store` uses. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  all(): Promise<D1Answer>
  run(): Promise<D1Answer>
}

/** The parts of a `D1Result` that are read. */
export interface D1Answer {
  results: unknown[]
  meta: { changes?: number }
}

export type D1StoreOptions = SqlStoreOptions

/** D1 says that nothing was done, or that the database was started anew: https://developers.cloudflare.com/d1/observability/debug-d1/ */
const D1_TRY_AGAIN =
  /overloaded|Network connection lost|reset because|caused object to be reset|transient issue/i

/** SQLite with what is D1's own. */
const D1: Dialect = {
  ...SQLITE,
  maxTries: (error) => (D1_TRY_AGAIN.test(String(error)) ? 3 : 1),
  advice: (error) =>
    SQLITE.isMissingTable(error)
      ? 'Or run `wrangler d1 migrations apply NAME --local`, and with `--remote` for production.'
      : undefined,
}

const LOOKALIKES: readonly Lookalike[] = [
  {
    matches: ({ prepare, exec, batch, execute }) =>
      (typeof exec === 'function' && typeof (prepare && batch) !== 'function') ||
      typeof execute === 'function',
    advice: 'for another SQLite extend SqlStore of isolate-session/sql.',
  },
]

/**
 * Sessions in one D1 table. Every operation is one statement; reads see the latest write, also with read replication on.
 *
 * Call `migrate()` once, or apply `src/stores/d1.sql` with `wrangler d1 migrations`. D1 does not expire rows by itself: call
 * `cleanup()` from a Cron Trigger, for which `D1Store.scheduled` is ready.
 *
 * @throws TypeError for a table name that is not plain, for a missing binding, and for what is no `D1Database`.
 */
export class D1Store extends SqlStore {
  readonly #db: D1Client

  constructor(db: D1Client, options?: D1StoreOptions) {
    super(D1, checkOptions('D1Store', options))
    checkBinding(db, 'D1Store', 'd1_databases', 'DB')
    checkClient(
      db,
      'D1Store takes a D1Database',
      ({ prepare }) => typeof prepare === 'function',
      LOOKALIKES,
    )
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
    const answer = await (isRead ? statement.all() : statement.run())
    if (!answer?.meta) throw answerNotUnderstood('something that is no D1Result')
    return { rows: answer.results, changes: answer.meta.changes as number }
  }
}
