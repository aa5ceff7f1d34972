import { driverAdvice } from './driver-error.ts'

/** The columns of a session's row, in the order in which a read selects them. */
export const COLUMNS = ['id', 'version', 'expiry', 'owner', 'body'] as const

/**
 * Everything in which one database differs from the next. SQL is written with `?` for a parameter and with names in double
 * quotes; `SqlStore` translates both. A `table` is such a quoted name.
 */
export interface Dialect {
  /** The quote around a name. */
  readonly quote: '"' | '`'
  /** Longest table name, in characters. */
  readonly longestTable: number
  /** How the n-th parameter is written, counted from 1. Default `?`. */
  placeholder?(n: number): string
  /** The select list of a read: id, version, expiry, owner and body, in this order and under these names. */
  readonly columns: string
  /** Ends an `INSERT` so that it leaves a row with this id alone. Where SQL has no such clause, `isTaken` recognises the error. */
  readonly insertIgnoreClause: string
  /** Is this the error of an `INSERT` whose id is taken? */
  isTaken?(error: unknown): boolean
  /** A query for the strings of a JSON array (`?`). A dialect that has one must also know `DELETE … RETURNING`. */
  readonly jsonArrayRows?: string
  /** Ends a `DELETE` of all rows. Default: nothing. */
  readonly deleteAllClause?: string
  /** The statements that create the table and its indexes if they do not exist. `name` is the table's name without quotes. */
  schema(table: string, name: string): string[]
  /** Deletes rows that expired up to an instant (`?`), at most `limit` of them. */
  deleteExpired(table: string, limit: number): string
  /** How often a statement that failed like this is tried in all: 1 if another try is no use. Its writes must be undone. */
  maxTries(error: unknown): number
  /** Is this the error for a table that does not exist? */
  isMissingTable(error: unknown): boolean
  /** Is the role not allowed to do this? */
  isDenied?(error: unknown): boolean
  /** Advice on any other error: a sentence for the message of `STORE_FAILED`. */
  advice?(error: unknown): string | undefined
}

/** For an error that passes by itself. */
const FEW = 3
/** For a statement that lost against another: one of the two has made progress. */
const MANY = 32

const INDEXES = (table: string, name: string): string[] => [
  `CREATE INDEX IF NOT EXISTS "${name}_expiry" ON ${table} ("expiry") WHERE "expiry" IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS "${name}_owner" ON ${table} ("owner") WHERE "owner" IS NOT NULL`,
]

/** SQLite: Node's, libSQL, the storage of a Durable Object. */
export const SQLITE: Dialect = {
  quote: '"',
  longestTable: 63,
  columns: '"id", "version", "expiry", "owner", "body"',
  // Counted by the rows it returns: a trigger that runs before the insert has changed rows even if the insert is ignored.
  insertIgnoreClause: ' ON CONFLICT ("id") DO NOTHING RETURNING "id"',
  jsonArrayRows: 'SELECT value FROM json_each(?)',
  // Without a rowid the primary key is the table, so an insert writes one row and not two; D1 bills every one.
  schema: (table, name) => [
    `CREATE TABLE IF NOT EXISTS ${table} ("id" TEXT PRIMARY KEY, "version" TEXT NOT NULL, "expiry" INTEGER, "owner" TEXT, "body" TEXT NOT NULL) WITHOUT ROWID`,
    ...INDEXES(table, name),
  ],
  deleteExpired: (table, limit) =>
    `DELETE FROM ${table} WHERE "id" IN (SELECT "id" FROM ${table} WHERE "expiry" <= ? LIMIT ${limit}) RETURNING "id"`,
  maxTries: (error) => (/is locked|SQLITE_BUSY/i.test(String(error)) ? FEW : 1),
  isMissingTable: (error) => String(error).includes('no such table'),
}

/** PostgreSQL. https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const POSTGRES: Dialect = {
  quote: '"',
  // PostgreSQL cuts names after 63 bytes, and an index is called by the table's name and "_expiry".
  longestTable: 56,
  placeholder: (n) => `$${n}`,
  // With now(), which is not immutable, Hyperdrive does not answer from its cache: https://developers.cloudflare.com/hyperdrive/concepts/query-caching/
  columns: '"id", "version", "expiry", "owner", "body", now()',
  insertIgnoreClause: ' ON CONFLICT ("id") DO NOTHING',
  jsonArrayRows: 'SELECT json_array_elements_text(?::text::json)',
  schema: (table, name) => [
    `CREATE TABLE IF NOT EXISTS ${table} ("id" text COLLATE "C" PRIMARY KEY, "version" text NOT NULL, "expiry" bigint, "owner" text COLLATE "C", "body" text NOT NULL)`,
    ...INDEXES(table, name),
  ],
  // Rows that a request is writing are left for the next time: nobody waits for the other. As an array, or the limit may be passed.
  deleteExpired: (table, limit) =>
    `DELETE FROM ${table} WHERE "id" = ANY (ARRAY (SELECT "id" FROM ${table} WHERE "expiry" <= ? LIMIT ${limit} FOR UPDATE SKIP LOCKED))`,
  // Class 40: rolled back because of another transaction. The other three: a migration that runs twice at the same time finds
  // a catalogue's row, a table or the table's type that was not there when `IF NOT EXISTS` looked.
  maxTries: (error) =>
    /^40/.test(codeOf(error)) ? MANY : /23505|42P07|42710/.test(codeOf(error)) ? FEW : 1,
  isMissingTable: (error) => codeOf(error) === '42P01',
  isDenied: (error) => codeOf(error) === '42501',
  advice: (error) => driverAdvice(error, codeOf(error).startsWith('28')),
}

// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
const ACCESS_DENIED = 1045
const DATABASE_DENIED = 1044
const TABLE_DENIED = 1142
const NO_SUCH_TABLE = 1146
const DUPLICATE = 1062
const DEADLOCK = 1213
/**
 * MariaDB's innodb_snapshot_isolation:
 * https://mariadb.com/docs/server/server-usage/storage-engines/innodb/innodb-system-variables
 */
const CHECKREAD = 1020

/** MySQL and MariaDB. */
export const MYSQL: Dialect = {
  quote: '`',
  longestTable: 63,
  // As text: drivers give the bytes of a VARBINARY. NOW() keeps Hyperdrive from answering from its cache:
  // https://developers.cloudflare.com/hyperdrive/concepts/query-caching/
  columns: `CONVERT("id" USING utf8mb4) AS "id", CONVERT("version" USING utf8mb4) AS "version", "expiry",
    CONVERT("owner" USING utf8mb4) AS "owner", "body", NOW()`,
  // No `IGNORE`, which truncates what is too long; no `ON DUPLICATE KEY`, which reports a taken id like an inserted one.
  insertIgnoreClause: '',
  isTaken: (error) => errnoOf(error) === DUPLICATE && /PRIMARY['"`]?$/.test(String(error)),
  // With a condition and a LIMIT, sql_safe_updates lets it pass.
  deleteAllClause: ` WHERE "id" <> '-' ORDER BY "id" LIMIT 9223372036854775807`,
  // VARBINARY compares bytes. A collation would take `Ab` for `aB`, or one owner for another.
  schema: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table} ("id" VARBINARY(43) PRIMARY KEY, "version" VARBINARY(43) NOT NULL, "expiry" BIGINT, "owner" VARBINARY(255), "body" LONGTEXT NOT NULL, INDEX "expiry" ("expiry"), INDEX "owner" ("owner")) ENGINE = InnoDB CHARACTER SET utf8mb4`,
  ],
  deleteExpired: (table, limit) =>
    `DELETE FROM ${table} WHERE "expiry" <= ? ORDER BY "expiry" LIMIT ${limit}`,
  maxTries: (error) => ([DEADLOCK, CHECKREAD].includes(errnoOf(error)) ? MANY : 1),
  isMissingTable: (error) => errnoOf(error) === NO_SUCH_TABLE,
  isDenied: (error) => [TABLE_DENIED, DATABASE_DENIED].includes(errnoOf(error)),
  advice: (error) =>
    error instanceof EvalError
      ? 'In a Worker make the client with `disableEval: true`.'
      : driverAdvice(error, errnoOf(error) === ACCESS_DENIED),
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code)
}

function errnoOf(error: unknown): number {
  return Number((error as { errno?: unknown } | null)?.errno)
}
