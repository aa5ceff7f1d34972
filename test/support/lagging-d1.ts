import type { D1Answer, D1ClientSession, D1Statement } from '../../src/stores/d1.ts'

/** Read replication as D1 documents it, over real SQLite: https://developers.cloudflare.com/d1/best-practices/read-replication/ */
export class LaggingD1 {
  readonly #db: D1Database
  readonly #table: string
  /** Every write, in the order in which the primary has taken it. */
  readonly #log: { sql: string; values: unknown[] }[] = []
  /** How much of it each replica has applied. */
  readonly #applied: number[]
  /** Which replica is near to whoever asks now. */
  nearest = 0
  /** The statements and their places: `primary read`, `replica 1 read`, `primary write`. */
  readonly queries: string[] = []
  /** Set: replicas take over what the primary has as soon as it is written. */
  isPrompt = false
  readonly #name = crypto.randomUUID().slice(0, 8)

  private constructor(db: D1Database, table: string, replicas: number) {
    this.#db = db
    this.#table = table
    this.#applied = Array.from({ length: replicas }, () => 0)
  }

  /** A primary and so many replicas, each a table of its own. `schema` makes one. */
  static async create(
    db: D1Database,
    table: string,
    schema: (db: D1Database, table: string) => Promise<void>,
    replicas = 3,
  ): Promise<LaggingD1> {
    const lagging = new LaggingD1(db, table, replicas)
    await schema(db, table)
    for (let n = 0; n < replicas; n++) await schema(db, lagging.#replica(n))
    return lagging
  }

  #replica(n: number): string {
    return `${this.#table}_replica${n}`
  }

  /** The replica takes over what the primary has had until now; all of them, if none is named. */
  async catchUp(...replicas: number[]): Promise<void> {
    for (const n of replicas.length > 0 ? replicas : this.#applied.keys()) {
      for (const { sql, values } of this.#log.slice(this.#applied[n])) {
        await this.#db
          .prepare(this.#on(sql, this.#replica(n)))
          .bind(...values)
          .all()
      }
      this.#applied[n] = this.#log.length
    }
  }

  #on(sql: string, table: string): string {
    return sql.replaceAll(`"${this.#table}"`, `"${table}"`)
  }

  /** Outside of a session every query goes to the primary. */
  prepare(sql: string): D1Statement {
    return this.#statement(sql, async () => undefined)
  }

  /**
   * `first-primary`: the first query goes to the primary, later ones may not. `first-unconstrained`: anywhere. A bookmark: to a
   * replica that has come so far, and to the primary if the nearest has not. Another database's is refused.
   */
  withSession(constraint = 'first-unconstrained'): D1ClientSession {
    let seen: number | undefined
    if (constraint === 'first-unconstrained') seen = 0
    else if (constraint !== 'first-primary') seen = this.#positionOf(constraint)
    const route = async (isWrite: boolean): Promise<number | undefined> => {
      const isNearby = !isWrite && seen !== undefined && (this.#applied[this.nearest] ?? 0) >= seen
      const replica = isNearby ? this.nearest : undefined
      seen = Math.max(
        seen ?? 0,
        replica === undefined
          ? this.#log.length + (isWrite ? 1 : 0)
          : (this.#applied[replica] ?? 0),
      )
      return replica
    }
    return {
      prepare: (sql) => this.#statement(sql, route),
      getBookmark: () => (seen === undefined ? null : this.#bookmarkAt(seen)),
    }
  }

  #bookmarkAt(position: number): string {
    return `${position.toString(16).padStart(8, '0')}-00000000-00000000-${this.#name}`
  }

  #positionOf(bookmark: string): number {
    const [, position = '', name] =
      /^([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}-(\w+)$/.exec(bookmark) ?? []
    if (name !== this.#name) throw new Error('D1_ERROR: invalid bookmark')
    return Number.parseInt(position, 16)
  }

  #statement(sql: string, route: (isWrite: boolean) => Promise<number | undefined>): D1Statement {
    let bound: unknown[] = []
    const execute = async (): Promise<D1Answer> => {
      const isWrite = !sql.startsWith('SELECT')
      const replica = await route(isWrite)
      this.queries.push(
        `${replica === undefined ? 'primary' : `replica ${replica}`} ${isWrite ? 'write' : 'read'}`,
      )
      const table = replica === undefined ? this.#table : this.#replica(replica)
      const answer = await this.#db
        .prepare(this.#on(sql, table))
        .bind(...bound)
        .all()
      if (isWrite) this.#log.push({ sql, values: bound })
      if (isWrite && this.isPrompt) await this.catchUp()
      return answer as unknown as D1Answer
    }
    const statement: D1Statement = {
      bind: (...values) => {
        bound = values
        return statement
      },
      all: execute,
      run: execute,
    }
    return statement
  }
}
