// SQLite, PostgreSQL and MySQL differ in their SQL and not in what a store has to do. The operations are here, the
// differences in sql-dialect.ts, and a client in each store.

import { checkOptions } from '../../options/check-options.ts'
import type { SessionRecord } from '../../session/session-record.ts'
import { IndexedStore, type KeyedStoreOptions } from '../../storage/keyed-store.ts'
import { answerNotUnderstood, atLeastOne } from './client.ts'
import { withoutData } from './error-redaction.ts'
import type { Dialect } from './sql-dialect.ts'
import { checkTable } from './sql-name.ts'
import { changesOf, idOf, integer, rowsOf, type SqlResult, toRecord } from './sql-rows.ts'

export type { SqlResult } from './sql-rows.ts'

/** The options of every store with a table. */
export interface SqlStoreOptions extends KeyedStoreOptions {
  /** A plain name: letters, digits and `_`. Default `'sessions'`. */
  readonly table?: string
}

/** A parameter of a statement. */
export type SqlValue = string | number | null

/** By the clock of this isolate, as everywhere. */
const LIVE = '("expiry" IS NULL OR "expiry" > ?)'

// The real one, kept before a test installs fake timers: with those a retry would never run.
const { setTimeout } = globalThis

/**
 * The base of every store that keeps sessions in a SQL table, one statement for each operation. Extend it with a dialect
 * (`SQLITE`, `POSTGRES`, `MYSQL` or your own) and with `query`, which runs one statement on your client.
 *
 * @throws TypeError for a table name that is not plain, or longer than the database takes.
 */
export abstract class SqlStore extends IndexedStore {
  readonly #dialect: Dialect
  readonly #name: string
  readonly #table: string

  /**
   * The base of a store with one table. `dialect` says how the database differs; `query` sends it a statement.
   *
   * @throws TypeError for a table name that is not plain, and for an option that does not exist.
   */
  constructor(dialect: Dialect, options?: SqlStoreOptions) {
    const { table = 'sessions', ...rest } = checkOptions('SqlStore', options)
    super(rest)
    this.#dialect = dialect
    this.#name = checkTable(table, dialect.longestTable)
    this.#table = `"${table}"`
  }

  /** The name of its table, as given. */
  protected get table(): string {
    return this.#name
  }

  /**
   * Runs one statement, whose parameters and names are written as the dialect says. Rejects with the client's own error,
   * from which the store removes what was sent before anybody sees it.
   */
  protected abstract query(sql: string, values: SqlValue[]): Promise<SqlResult>

  /** Creates the table and its indexes if they do not exist. A role that must not create them needs an existing table. */
  async migrate(): Promise<void> {
    await this.ask('make its table', async () => {
      try {
        for (const statement of this.#dialect.schema(this.#table, this.#name)) {
          rowsOf(await this.#run(statement))
        }
      } catch (error) {
        if (!this.#dialect.isDenied?.(error)) throw error
        await this.#select('"id" = ?', '').catch(() => {
          throw error
        })
      }
    })
  }

  /** Removes at most `limit` expired rows (default 1,000) and returns their number. */
  async cleanup(limit = 1000): Promise<number> {
    if (!(Number.isSafeInteger(limit) && limit > 0)) {
      throw new TypeError('cleanup() takes a positive integer.')
    }
    const sql = this.#dialect.deleteExpired(this.#table, limit)
    return this.ask('clean up', async () =>
      Number(changesOf(sql, await this.#run(sql, Date.now()))),
    )
  }

  /** The number of sessions, including expired ones that are not cleaned up yet. */
  async count(): Promise<number> {
    // An empty body is what a rotation leaves of the old session, until it is cleaned up.
    const sql = `SELECT count(*) AS "n" FROM ${this.#table} WHERE "body" <> ''`
    return this.ask('count its sessions', async () => {
      const n = integer((rowsOf(await this.#run(sql))[0] as { n: unknown } | undefined)?.n)
      if (Number.isSafeInteger(n)) return n as number
      throw answerNotUnderstood('a count that is not a number')
    })
  }

  /** @inheritDoc */
  protected async read(id: string): Promise<SessionRecord | undefined> {
    const [found] = await this.#select('"id" = ?', id)
    if (found === undefined || found[0] === id) return found?.[1]
    throw answerNotUnderstood('rows that were not asked for')
  }

  /** @inheritDoc */
  protected async insert(
    id: string,
    { version, expiry, owner, body }: SessionRecord,
  ): Promise<boolean> {
    const { insertIgnoreClause, isTaken } = this.#dialect
    const sql = `INSERT INTO ${this.#table} ("id", "version", "expiry", "owner", "body") VALUES (?, ?, ?, ?, ?)${insertIgnoreClause}`
    try {
      const result = await this.#run(sql, id, version, expiry, owner, body)
      return atLeastOne(changesOf(sql, result))
    } catch (error) {
      if (isTaken?.(error)) return false
      throw error
    }
  }

  /** @inheritDoc */
  protected async replace(
    id: string,
    { version, expiry, owner, body }: SessionRecord,
    old: string,
  ): Promise<boolean> {
    const sql = `UPDATE ${this.#table} SET "version" = ?, "expiry" = ?, "owner" = ?, "body" = ?
      WHERE "id" = ? AND "version" = ? AND ${LIVE}`
    const values = [version, expiry, owner, body, id, old, Date.now()]
    // A version is fresh, so a row that was matched was changed: it is the same whichever a driver counts.
    return atLeastOne((await this.#run(sql, ...values)).changes)
  }

  /** @inheritDoc */
  protected async remove(id: string, version?: string): Promise<boolean> {
    const sql = `DELETE FROM ${this.#table} WHERE "id" = ?`
    const { changes } =
      version === undefined
        ? await this.#run(sql, id)
        : await this.#run(`${sql} AND "version" = ?`, id, version)
    return atLeastOne(changes)
  }

  /** Always one statement: the Free plan of Workers limits the number of queries of a request. */
  protected override async removeMany(ids: readonly string[]): Promise<string[]> {
    const { jsonArrayRows } = this.#dialect
    if (jsonArrayRows === undefined) return super.removeMany(ids)
    const sql = `DELETE FROM ${this.#table} WHERE "id" IN (${jsonArrayRows}) RETURNING "id"`
    return rowsOf(await this.#run(sql, JSON.stringify(ids))).map(idOf)
  }

  /** @inheritDoc */
  protected override async removeOwned(owner: string, except = ''): Promise<number> {
    const sql = `DELETE FROM ${this.#table} WHERE "owner" = ? AND "id" <> ? AND ${LIVE}${this.#returning}`
    return Number(changesOf(sql, await this.#run(sql, owner, except, Date.now())))
  }

  /** Exact, where triggers add to what a client counts. */
  get #returning(): string {
    return this.#dialect.jsonArrayRows === undefined ? '' : ' RETURNING "id"'
  }

  /** @inheritDoc */
  protected async removeAll(): Promise<void> {
    const { deleteAllClause = '' } = this.#dialect
    atLeastOne((await this.#run(`DELETE FROM ${this.#table}${deleteAllClause}`)).changes)
  }

  /** @inheritDoc */
  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const records = await this.#select(`"owner" = ? AND ${LIVE}`, owner, Date.now())
    if (records.every(([, record]) => record.owner === owner)) return records
    throw answerNotUnderstood('rows that were not asked for')
  }

  async #select(
    condition: string,
    ...values: SqlValue[]
  ): Promise<[id: string, record: SessionRecord][]> {
    const sql = `SELECT ${this.#dialect.columns} FROM ${this.#table} WHERE ${condition}`
    return rowsOf(await this.#run(sql, ...values)).map(toRecord)
  }

  /** Safe for writes, too: each is conditional, and one that was done after all is recognised by its version. */
  async #run(sql: string, ...values: SqlValue[]): Promise<SqlResult> {
    const { quote, placeholder, maxTries } = this.#dialect
    let n = 0
    const text = sql.replace(/["?]/g, (mark) =>
      mark === '"' ? quote : (placeholder?.(++n) ?? mark),
    )
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.query(text, values)
      } catch (error) {
        if (attempt >= maxTries(error)) throw withoutData(error, values, sql)
        await new Promise((resolve) => setTimeout(resolve, pauseBefore(attempt)))
      }
    }
  }

  /** @inheritDoc */
  protected override advice(error: unknown): string | undefined {
    const advice = this.#dialect.advice?.(error)
    if (this.#dialect.isMissingTable(error)) {
      return [`There is no table ${this.#table}: call migrate() once.`, advice].join(' ').trim()
    }
    return this.#dialect.isDenied?.(error)
      ? `The role may not do this to the table ${this.#table}. Create it as a role that may, with the SQL in docs/servers.md, and GRANT this one SELECT, INSERT, UPDATE and DELETE.`
      : advice
  }
}

/** Milliseconds, with jitter, so that statements which lost against each other do not meet again. */
function pauseBefore(attempt: number): number {
  return Math.random() * Math.min(600, 200 * attempt)
}
