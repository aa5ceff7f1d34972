/**
 * @module isolate-session/mysql
 */
import { checkOptions } from '../options/check-options.ts'
import { answerNotUnderstood, checkClient, type Lookalike } from './shared/client.ts'
import { MYSQL } from './shared/sql-dialect.ts'
import {
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from './shared/sql-store.ts'

export type { SqlStore, SqlStoreOptions } from './shared/sql-store.ts'

/** The subset of a `mysql2/promise` connection or pool that `MySQLStore` uses. */
export interface MySQLClient {
  /** As `Connection.execute`, with promises. `sql`: a statement, or mysql2's options with one. */
  execute(sql: never, values: SqlValue[]): Promise<[unknown, unknown]>
}

/** The options of `MySQLStore`. */
export type MySQLStoreOptions = SqlStoreOptions

const TAKES = 'MySQLStore takes a connection or pool of `mysql2/promise`'

const LOOKALIKES: readonly Lookalike[] = [
  {
    matches: (client) => typeof client.promise === 'function',
    advice: 'this one of `mysql2` takes callbacks: pass `client.promise()`.',
  },
  {
    matches: (client) => typeof client.batch === 'function',
    advice: 'for the `mariadb` connector use `mysql2` instead, which speaks to MariaDB as well.',
  },
  {
    matches: (client) => typeof client.transaction === 'function',
    advice:
      'for `@planetscale/database` use `mysql2` through Hyperdrive, or extend SqlStore of isolate-session/sql.',
  },
]

/** Asked of mysql2 with every statement, so that the client's own options do not matter. */
const PLAIN_ROWS = {
  rowsAsArray: false,
  nestTables: false,
  typeCast: (_field: unknown, next: () => unknown): unknown => next(),
}

/**
 * Sessions in one table of MySQL or MariaDB, through `mysql2/promise`. Every operation is one prepared statement. Reads are
 * not answered from Hyperdrive's cache.
 *
 * The client is yours. In a Worker create one for each request, in `store: async (c) => …`, which is not called for a request
 * that needs no session, and with `disableEval: true`. Give it the primary, not a replica, a connection that is not inside
 * a transaction, and leave its character set at mysql2's default, utf8mb4.
 *
 * Call `migrate()` once. MySQL does not expire rows by itself: call `cleanup()` from a Cron Trigger.
 *
 * @throws TypeError for a table name that is not plain, and for a client of another kind.
 */
export class MySQLStore extends SqlStore {
  readonly #client: MySQLClient

  /**
   * Sessions in one table, which `migrate()` creates.
   *
   * @throws TypeError for a table name that is not plain, and for what is no client of `mysql2/promise`.
   */
  constructor(client: MySQLClient, options?: MySQLStoreOptions) {
    super(MYSQL, checkOptions('MySQLStore', options))
    checkClient(client, TAKES, ({ execute }) => typeof execute === 'function', LOOKALIKES)
    this.#client = client
  }

  /** @inheritDoc */
  override get cacheName(): string {
    return `mysql ${this.table}`
  }

  /** @inheritDoc */
  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    // Not query(): it writes values into the text, and how to escape them depends on the server's SQL mode.
    const statement = 'format' in this.#client ? { sql, ...PLAIN_ROWS } : sql
    const answer = await this.#client.execute(statement as never, values)
    const result: unknown = Array.isArray(answer) ? answer[0] : undefined
    if (Array.isArray(result)) return { rows: result, changes: 0 }
    const { affectedRows } = Object(result) as { affectedRows?: number }
    if (affectedRows !== undefined) return { rows: [], changes: affectedRows }
    throw answerNotUnderstood('no pair of a result and its fields')
  }
}
