import { checkOptions } from './check-options.js'
import { IndexedStore, type KeyedStoreOptions } from './keyed-store.js'
import type { SessionRecord } from './session-record.js'
import { checkTable } from './sql-name.js'

export interface SqlStoreOptions extends KeyedStoreOptions {
  /** A plain name: letters, digits and `_`. Default `'sessions'`. */
  readonly table?: string
}

/** All in which one database differs from the next. In its SQL, `?` stands for a parameter and `table` is quoted. */
export interface Dialect {
  readonly quote: '"' | '`'
  /** Longest table name, in characters. */
  readonly longestTable: number
  /** What a read selects: `id`, `version`, `expiry`, `owner` and `body`. */
  readonly columns: string
  /** Ends an `INSERT` that leaves a row alone which is there already. Without such an end, `isTaken` tells. */
  readonly ifAbsent: string
  isTaken?(error: unknown): boolean
  /** Selects the texts of a JSON array (`?`). Where there is one, `DELETE … RETURNING` exists, too. */
  readonly elements?: string
  schema(table: string, name: string): string[]
  /** Deletes rows that expired up to an instant (`?`), but no more than a number of them. */
  deleteExpired(table: string, limit: number): string
  /** Was the statement undone by the database, and is it worth another try? */
  isTransient(error: unknown): boolean
  isMissingTable(error: unknown): boolean
  /** What to do about any other error. */
  advice?(error: unknown): string | undefined
}

export type SqlValue = string | number | null

export interface SqlResult {
  readonly rows: readonly unknown[]
  /** Rows inserted, updated or deleted. */
  readonly changes: number
}

type Row = { [K in keyof SessionRecord | 'id']: unknown }

const MAX_TRIES = 3

/**
 * What the stores with a table have in common: one statement for each verb. A store adds its dialect and how its client
 * runs a statement.
 */
export abstract class SqlStore extends IndexedStore {
  readonly #dialect: Dialect
  readonly #name: string
  readonly #table: string

  constructor(dialect: Dialect, options?: SqlStoreOptions) {
    const { table = 'sessions', ...rest } = checkOptions('SqlStore', options)
    super(rest)
    this.#dialect = dialect
    this.#name = checkTable(table, dialect.longestTable)
    this.#table = dialect.quote + table + dialect.quote
  }

  /** The name of its table, as given. */
  protected get table(): string {
    return this.#name
  }

  /** Runs one statement, whose parameters are written `?`. */
  protected abstract query(sql: string, values: SqlValue[]): Promise<SqlResult>

  /** Makes the table and its indexes, if they are not there. */
  async migrate(): Promise<void> {
    for (const statement of this.#dialect.schema(this.#table, this.#name)) {
      await this.ask('make its table', () => this.#run(statement))
    }
  }

  /** Removes at most `limit` expired rows (default 1,000), and says how many. */
  async cleanup(limit = 1000): Promise<number> {
    if (!(Number.isSafeInteger(limit) && limit > 0)) {
      throw new TypeError('cleanup() takes a positive integer.')
    }
    const sql = this.#dialect.deleteExpired(this.#table, limit)
    const run = (): Promise<SqlResult> => this.#run(sql, Date.now())
    return (await this.ask('clean up', run)).changes
  }

  /** How many rows there are, expired ones that were not cleaned up yet included. */
  async count(): Promise<number> {
    const sql = `SELECT count(*) AS n FROM ${this.#table}`
    const { rows } = await this.ask('count its sessions', () => this.#run(sql))
    return Number((rows[0] as { n: unknown }).n)
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    const [record] = await this.#select('id', id)
    return record?.[1]
  }

  protected async insert(
    id: string,
    { version, expiry, owner, body }: SessionRecord,
  ): Promise<boolean> {
    const { ifAbsent, isTaken } = this.#dialect
    const sql = `INSERT INTO ${this.#table} (id, version, expiry, owner, body) VALUES (?, ?, ?, ?, ?)${ifAbsent}`
    try {
      return (await this.#run(sql, id, version, expiry, owner, body)).changes === 1
    } catch (error) {
      if (isTaken?.(error)) return false
      throw error
    }
  }

  protected async replace(
    id: string,
    { version, expiry, owner, body }: SessionRecord,
    old: string,
  ): Promise<boolean> {
    const sql = `UPDATE ${this.#table} SET version = ?, expiry = ?, owner = ?, body = ?
      WHERE id = ? AND version = ? AND (expiry IS NULL OR expiry > ?)`
    const values = [version, expiry, owner, body, id, old, Date.now()]
    // A version is fresh, so a row that was matched was changed: it is the same whichever a driver counts.
    return (await this.#run(sql, ...values)).changes === 1
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const sql = `DELETE FROM ${this.#table} WHERE id = ?`
    const { changes } =
      version === undefined
        ? await this.#run(sql, id)
        : await this.#run(`${sql} AND version = ?`, id, version)
    return changes === 1
  }

  /** In one statement, be they ever so many: a Worker has few of them for a request on the Free plan. */
  protected override async removeMany(ids: readonly string[]): Promise<string[]> {
    const { elements } = this.#dialect
    if (elements === undefined) return super.removeMany(ids)
    const sql = `DELETE FROM ${this.#table} WHERE id IN (${elements}) RETURNING id`
    const { rows } = await this.#run(sql, JSON.stringify(ids))
    return rows.map((row) => (row as { id: string }).id)
  }

  protected async removeAll(): Promise<void> {
    await this.#run(`DELETE FROM ${this.#table}`)
  }

  protected override recordsOf(owner: string): Promise<[id: string, record: SessionRecord][]> {
    return this.#select('owner', owner)
  }

  async #select(
    column: 'id' | 'owner',
    value: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const sql = `SELECT ${this.#dialect.columns} FROM ${this.#table} WHERE ${column} = ?`
    const { rows } = await this.#run(sql, value)
    return rows.map((row) => {
      const { id, version, expiry, owner, body } = row as Row
      // Drivers give a 64-bit integer as a number, a text or a bigint.
      const record = { version, expiry: expiry === null ? null : Number(expiry), owner, body }
      return [id as string, record as SessionRecord]
    })
  }

  /** Safe for writes, too: each is conditional, and one that was done after all is recognised by its version. */
  async #run(sql: string, ...values: SqlValue[]): Promise<SqlResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.query(sql, values)
      } catch (error) {
        if (attempt === MAX_TRIES || !this.#dialect.isTransient(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 200 * attempt))
      }
    }
  }

  protected override advice(error: unknown): string | undefined {
    return this.#dialect.isMissingTable(error)
      ? `There is no table ${this.#table}: call migrate() once.`
      : this.#dialect.advice?.(error)
  }
}
