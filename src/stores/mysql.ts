/**
 * @module isolate-session/mysql
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

/** What is called of a `mysql2/promise` connection or pool. */
export interface MySQLClient {
  // biome-ignore lint/suspicious/noExplicitAny: the driver's own types for parameters and results stay its own
  execute(sql: string, values: any[]): Promise<[any, unknown]>
}

export type MySQLStoreOptions = SqlStoreOptions

// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
const DUPLICATE = 1062
const ACCESS_DENIED = 1045
const NO_SUCH_TABLE = 1146
const DEADLOCK = 1213

const MYSQL: Dialect = {
  quote: '`',
  longestTable: 63,
  // As text: the driver gives the bytes of a VARBINARY. NOW() keeps Hyperdrive from answering from its cache:
  // https://developers.cloudflare.com/hyperdrive/concepts/query-caching/
  columns: `CONVERT(id USING utf8mb4) AS id, CONVERT(version USING utf8mb4) AS version, expiry,
    CONVERT(owner USING utf8mb4) AS owner, body, NOW()`,
  // No `IGNORE`, which cuts what is too long; no `ON DUPLICATE KEY`, which tells a taken id like an inserted one.
  ifAbsent: '',
  isTaken: (error) => errnoOf(error) === DUPLICATE,
  // VARBINARY compares bytes. A collation would take `Ab` for `aB`, or one owner for another.
  schema: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table} (id VARBINARY(43) PRIMARY KEY, version VARBINARY(43) NOT NULL, expiry BIGINT, owner VARBINARY(255), body LONGTEXT NOT NULL, INDEX expiry (expiry), INDEX owner (owner)) ENGINE = InnoDB CHARACTER SET utf8mb4`,
  ],
  deleteExpired: (table, limit) =>
    `DELETE FROM ${table} WHERE expiry <= ? ORDER BY expiry LIMIT ${limit}`,
  isTransient: (error) => errnoOf(error) === DEADLOCK,
  isMissingTable: (error) => errnoOf(error) === NO_SUCH_TABLE,
  advice: (error) =>
    error instanceof EvalError
      ? 'In a Worker make the client with `disableEval: true`.'
      : driverAdvice(error, errnoOf(error) === ACCESS_DENIED),
}

function errnoOf(error: unknown): number {
  return Number((error as { errno?: unknown } | null)?.errno)
}

/**
 * Sessions in one table of MySQL or MariaDB, through `mysql2/promise`. Every verb is one statement, with its values apart from
 * it. Reads are not answered from Hyperdrive's cache.
 *
 * The client is yours. In a Worker make one for each request, in `store: async (c) => …`, which is not called for a request
 * that needs no session, and with `disableEval: true`. Give it the primary, not a replica, a connection that is not inside
 * a transaction, and leave its character set at mysql2's default, utf8mb4.
 *
 * Call `migrate()` once. MySQL does not expire rows by itself: call `cleanup()` from a Cron Trigger.
 */
export class MySQLStore extends SqlStore {
  readonly #client: MySQLClient

  /** @throws TypeError for a table name that is not plain. */
  constructor(client: MySQLClient, options?: MySQLStoreOptions) {
    super(MYSQL, checkOptions('MySQLStore', options))
    this.#client = client
  }

  override get cacheName(): string {
    return `mysql ${this.table}`
  }

  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    // Not query(): it writes values into the text, and how to escape them depends on the server's SQL mode.
    const [result] = await this.#client.execute(sql, values)
    return Array.isArray(result)
      ? { rows: result, changes: 0 }
      : { rows: [], changes: result.affectedRows }
  }
}
