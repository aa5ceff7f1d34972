/**
 * @module isolate-session/d1
 */
import { IndexedStore, type KeyedStoreOptions } from '../keyed-store.js'
import type { SessionRecord } from '../session-record.js'
import { checkTable } from '../sql-name.js'

/** What is called of a `D1Database`. */
export interface D1Client {
  prepare(sql: string): D1Statement
  withSession?(constraint: string): { prepare(sql: string): D1Statement }
}

/** What is called of a `D1PreparedStatement`. */
export interface D1Statement {
  bind(...values: unknown[]): D1Statement
  first(): Promise<unknown>
  all(): Promise<{ results: unknown[] }>
  run(): Promise<{ meta: { changes?: number } }>
}

export interface D1StoreOptions extends KeyedStoreOptions {
  /** Default `'sessions'`. */
  readonly table?: string
}

/** Says that nothing was done, or that the database was started anew: https://developers.cloudflare.com/d1/observability/debug-d1/ */
const TRY_AGAIN = /overloaded|Network connection lost|reset because|caused object to be reset/i

const MAX_TRIES = 3

/** Bound parameters of one statement: https://developers.cloudflare.com/d1/platform/limits/ */
const MAX_PARAMETERS = 100

type Row = SessionRecord & { readonly id: string }

/**
 * Sessions in one D1 table. Every verb is one statement; reads see the latest write, also with read replication on.
 *
 * Call `migrate()` once, or apply `src/stores/d1.sql` with `wrangler d1 migrations`. D1 does not expire rows by itself: call
 * `cleanup()` from a Cron Trigger, for which `D1Store.scheduled` is ready.
 */
export class D1Store extends IndexedStore {
  readonly #db: D1Client
  readonly #table: string

  /** @throws TypeError for a table name that is not plain. */
  constructor(db: D1Client, { table = 'sessions', ...options }: D1StoreOptions = {}) {
    super(options)
    this.#db = db
    this.#table = checkTable(table)
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
    return async (_controller, env) => {
      const store = new D1Store(database(env), options)
      while ((await store.cleanup()) > 0);
    }
  }

  /** Makes the table and its indexes, if they are not there. */
  async migrate(): Promise<void> {
    for (const statement of schema(this.#table)) await this.#db.prepare(statement).run()
  }

  /** Removes at most `limit` expired rows (default 1,000), and says how many. */
  async cleanup(limit = 1000): Promise<number> {
    const expired = `SELECT id FROM "${this.#table}" WHERE expiry <= ? LIMIT ?`
    return this.#change(`DELETE FROM "${this.#table}" WHERE id IN (${expired})`, Date.now(), limit)
  }

  /** How many rows there are, expired ones that were not cleaned up yet included. */
  async count(): Promise<number> {
    const row = await this.#reading(`SELECT count(*) AS n FROM "${this.#table}"`).first()
    return (row as { n: number }).n
  }

  protected async read(id: string): Promise<SessionRecord | undefined> {
    const statement = this.#reading(`SELECT * FROM "${this.#table}" WHERE id = ?`).bind(id)
    return ((await trying(() => statement.first())) as Row | null) ?? undefined
  }

  protected async insert(
    id: string,
    { version, expiry, owner, body }: SessionRecord,
  ): Promise<boolean> {
    const columns = '(id, version, expiry, owner, body)'
    const sql = `INSERT INTO "${this.#table}" ${columns} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
    return (await this.#change(sql, id, version, expiry, owner, body)) === 1
  }

  protected async replace(
    id: string,
    { version, expiry, owner, body }: SessionRecord,
    old: string,
  ): Promise<boolean> {
    const sql = `UPDATE "${this.#table}" SET version = ?, expiry = ?, owner = ?, body = ?
      WHERE id = ? AND version = ? AND (expiry IS NULL OR expiry > ?)`
    return (await this.#change(sql, version, expiry, owner, body, id, old, Date.now())) === 1
  }

  protected async remove(id: string, version?: string): Promise<boolean> {
    const sql = `DELETE FROM "${this.#table}" WHERE id = ? AND version = coalesce(?, version)`
    return (await this.#change(sql, id, version ?? null)) === 1
  }

  /** A Worker has 50 statements for a request on the Free plan, and an owner may have more sessions than that. */
  protected override async removeMany(ids: readonly string[]): Promise<string[]> {
    const removed: string[] = []
    for (let start = 0; start < ids.length; start += MAX_PARAMETERS) {
      const some = ids.slice(start, start + MAX_PARAMETERS)
      const marks = some.map(() => '?').join(', ')
      const sql = `DELETE FROM "${this.#table}" WHERE id IN (${marks}) RETURNING id`
      const { results } = await trying(() =>
        this.#db
          .prepare(sql)
          .bind(...some)
          .all(),
      )
      removed.push(...(results as Row[]).map(({ id }) => id))
    }
    return removed
  }

  protected async removeAll(): Promise<void> {
    await this.#change(`DELETE FROM "${this.#table}"`)
  }

  protected override async recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]> {
    const statement = this.#reading(`SELECT * FROM "${this.#table}" WHERE owner = ?`).bind(owner)
    const { results } = await trying(() => statement.all())
    return (results as Row[]).map((row) => [row.id, row])
  }

  /** A statement that reads from the primary: a replica may not have the last write yet. */
  #reading(sql: string): D1Statement {
    return (this.#db.withSession?.('first-primary') ?? this.#db).prepare(sql)
  }

  async #change(sql: string, ...values: unknown[]): Promise<number> {
    const statement = this.#db.prepare(sql).bind(...values)
    const { meta } = await trying(() => statement.run())
    return meta.changes ?? 0
  }
}

/** Safe for writes, too: each is conditional, and one that was done after all is recognised by its version. */
async function trying<T>(query: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await query()
    } catch (error) {
      if (attempt === MAX_TRIES || !TRY_AGAIN.test(String(error))) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt))
    }
  }
}

/** Without a rowid the primary key is the table, so an insert writes one row and not two; D1 bills every one. */
function schema(table: string): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS "${table}" (id TEXT PRIMARY KEY, version TEXT NOT NULL, expiry INTEGER, owner TEXT, body TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS "${table}_expiry" ON "${table}" (expiry) WHERE expiry IS NOT NULL`,
    `CREATE INDEX IF NOT EXISTS "${table}_owner" ON "${table}" (owner) WHERE owner IS NOT NULL`,
  ]
}
