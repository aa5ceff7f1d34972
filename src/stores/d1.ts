/**
 * @module isolate-session/d1
 */
import { checkOptions } from '../options/check-options.ts'
import type { AnySession } from '../session/session.ts'
import { isBookmark, isMarkedValue, join, noted, noteValue, split } from './shared/bookmark.ts'
import { answerNotUnderstood, checkBinding, checkClient, type Lookalike } from './shared/client.ts'
import { type Dialect, SQLITE } from './shared/sql-dialect.ts'
import {
  type SqlResult,
  SqlStore,
  type SqlStoreOptions,
  type SqlValue,
} from './shared/sql-store.ts'

export type { AnySession } from '../session/session.ts'
export type { SqlStore, SqlStoreOptions } from './shared/sql-store.ts'

/** The subset of a `D1Database` that `D1Store` uses. */
export interface D1Client {
  /** As `D1Database.prepare`. */
  prepare(sql: string): D1Statement
  /** As `D1Database.withSession`. Needed for `reads: 'nearest'` only. */
  withSession?(constraint: string): D1ClientSession
}

/** The subset of a `D1DatabaseSession` that `D1Store` uses. */
export interface D1ClientSession {
  /** As `D1DatabaseSession.prepare`. */
  prepare(sql: string): D1Statement
  /** As `D1DatabaseSession.getBookmark`. */
  getBookmark?(): string | null
}

/** The subset of a `D1PreparedStatement` that `D1Store` uses. */
export interface D1Statement {
  /** As `D1PreparedStatement.bind`. */
  bind(...values: unknown[]): D1Statement
  /** As `D1PreparedStatement.all`. */
  all(): Promise<D1Answer>
  /** As `D1PreparedStatement.run`. */
  run(): Promise<D1Answer>
}

/** The parts of a `D1Result` that are read. */
export interface D1Answer {
  /** The rows of a query. */
  results: unknown[]
  /** How many rows a statement has changed. */
  meta: { changes?: number }
}

/** The options of `D1Store`. */
export interface D1StoreOptions extends SqlStoreOptions {
  /**
   * Where sessions are read. Default `'primary'`. With `'nearest'` from the nearest replica, never behind what this visitor has
   * written: the cookie carries D1's bookmark, so every write sends it. What lags is a session that was ended or changed
   * elsewhere: it is *read* until the replica knows. Writes, lists and revocations go to the primary.
   */
  readonly reads?: 'primary' | 'nearest'
}

/**
 * D1 says that nothing was done, or that the database was started anew:
 * https://developers.cloudflare.com/d1/observability/debug-d1/
 */
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
  readonly #options: D1StoreOptions | undefined

  /**
   * Sessions in one D1 table, which `migrate()` creates.
   *
   * @throws TypeError for a table name that is not plain, for a missing binding, and for what is no `D1Database`.
   */
  constructor(db: D1Client, options?: D1StoreOptions) {
    const { reads, ...rest } = checkOptions('D1Store', options)
    super(D1, rest)
    checkBinding(db, 'D1Store', 'd1_databases', 'DB')
    checkClient(
      db,
      'D1Store takes a D1Database',
      ({ prepare }) => typeof prepare === 'function',
      LOOKALIKES,
    )
    this.#db = db
    if (reads !== 'nearest') return
    if (!db.withSession) throw noSessions()
    this.#options = rest
  }

  /**
   * A `scheduled` handler that removes expired rows, a thousand at a time, until none is left.
   *
   * @example
   * export default { fetch: app.fetch, scheduled: D1Store.scheduled(() => env.DB) }
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

  /** @inheritDoc */
  override get cacheName(): string {
    return `d1 ${this.table}`
  }

  /** @inheritDoc */
  override isWellFormed(cookieValue: string): boolean {
    return this.#options ? isMarkedValue(cookieValue) : super.isWellFormed(cookieValue)
  }

  /** @inheritDoc */
  override async loadSession(cookieValue: string): Promise<AnySession | undefined> {
    if (!this.#options) return super.loadSession(cookieValue)
    if (!this.isWellFormed(cookieValue)) return undefined
    const { value, bookmark } = split(cookieValue)
    try {
      if (bookmark !== undefined) return noted(await this.#in(bookmark)?.loadSession(value), value)
    } catch {
      // D1 refuses the bookmark: it is another database's, or the visitor has made it up. The primary knows.
    }
    return noted(await this.#in('first-primary')?.loadSession(value), value)
  }

  /** @inheritDoc */
  override async storeSession(session: AnySession): Promise<string | undefined> {
    const writer = this.#options && this.#in('first-primary')
    if (!writer) return super.storeSession(session)
    const fresh = await writer.storeSession(session)
    const value = noteValue(session, fresh)
    const { bookmark } = writer
    // Without a bookmark nothing was stored, without a value the session was loaded by another store.
    return bookmark === undefined || value === undefined ? fresh : join(value, bookmark)
  }

  /** This store in a session of D1's. */
  #in(constraint: string): StoreInSession | undefined {
    const session = this.#db.withSession?.(constraint)
    return session && new StoreInSession(session, this.#options)
  }

  /** @inheritDoc */
  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    const isRead = sql.startsWith('SELECT')
    // From the primary: a replica may not have the last write yet.
    const db = (isRead && this.#db.withSession?.('first-primary')) || this.#db
    return run(db, sql, values)
  }
}

/** The same table, in one session of D1's. */
class StoreInSession extends SqlStore {
  readonly #session: D1ClientSession
  #isAsked = false

  constructor(session: D1ClientSession, options: SqlStoreOptions | undefined) {
    super(D1, options)
    this.#session = session
  }

  /** The bookmark from which a later read has to start; `undefined` if there was no query. */
  get bookmark(): string | undefined {
    const bookmark = this.#isAsked ? this.#session.getBookmark?.() : undefined
    return isBookmark(bookmark) ? bookmark : undefined
  }

  protected async query(sql: string, values: SqlValue[]): Promise<SqlResult> {
    const result = await run(this.#session, sql, values)
    this.#isAsked = true
    return result
  }
}

/** Runs one statement and gives its answer in the form that `SqlStore` understands. */
async function run(
  db: D1Client | D1ClientSession,
  sql: string,
  values: SqlValue[],
): Promise<SqlResult> {
  const statement = db.prepare(sql).bind(...values)
  const answer = await (sql.startsWith('SELECT') ? statement.all() : statement.run())
  if (!answer?.meta) throw answerNotUnderstood('something that is no D1Result')
  return { rows: answer.results, changes: answer.meta.changes as number }
}

function noSessions(): TypeError {
  return new TypeError(
    "D1Store: reads: 'nearest' needs the binding itself, whose withSession() reads from replicas. Pass `env.DB`.",
  )
}
