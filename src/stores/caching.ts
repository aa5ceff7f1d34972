/**
 * @module isolate-session/caching
 */
import { checkOptions } from '../check-options.js'
import { idOf } from '../crypto.js'
import { insertRecord, removeRecord } from '../memory-partition.js'
import { type MemoryStore, partitionOf } from '../memory-store.js'
import { Session, stateOf } from '../session.js'
import { decodeRecord, isExpired, type SessionRecord } from '../session-record.js'
import type { StoredRecord } from '../session-state.js'
import type { SessionStore } from '../session-store.js'

export interface CachingStoreOptions {
  /** How long a session may be read from this isolate, in seconds. */
  readonly maxAge: number
}

/** In place of a record: somebody here has written to this session. */
const PASS_BY = ''

// biome-ignore lint/suspicious/noExplicitAny: a store holds sessions of every shape
type AnySession = Session<any>

/**
 * A MemoryStore as a cache in front of another store: reads come from this isolate for up to `maxAge` seconds.
 *
 * **Everything that is done in other isolates is seen here up to `maxAge` seconds late**: sign-out, revocation, and the
 * visitor's own changes. What is done in this isolate is seen at once. Writes go through and are still conditional: no update
 * is lost, and a session that has ended elsewhere does not come back. Only reading lags.
 *
 * A session that was written here is read from the store until `maxAge` is over, so this is for sessions that are read often
 * and written rarely.
 */
export class CachingStore implements SessionStore {
  readonly #cache: MemoryStore
  readonly #store: SessionStore
  readonly #maxAge: number

  declare isWellFormed?: NonNullable<SessionStore['isWellFormed']>
  declare sessionsOf?: NonNullable<SessionStore['sessionsOf']>
  declare destroySessionsOf?: NonNullable<SessionStore['destroySessionsOf']>
  declare destroySessionById?: NonNullable<SessionStore['destroySessionById']>

  /** @throws TypeError unless `maxAge` is a positive, finite number of seconds. */
  constructor(cache: MemoryStore, store: SessionStore, options: CachingStoreOptions) {
    const { maxAge } = checkOptions('CachingStore', options)
    this.#cache = cache
    this.#store = store
    this.#maxAge = maxAge * 1000
    if (store.isWellFormed) this.isWellFormed = (value) => store.isWellFormed?.(value) ?? false
    if (store.sessionsOf) this.sessionsOf = store.sessionsOf.bind(store)
    if (store.destroySessionsOf) this.destroySessionsOf = this.#destroySessionsOf
    if (store.destroySessionById) this.destroySessionById = this.#destroySessionById
  }

  get productionWarning(): string | undefined {
    return this.#store.productionWarning
  }

  async loadSession(cookieValue: string): Promise<AnySession | undefined> {
    if (this.isWellFormed?.(cookieValue) === false) return undefined
    const id = await idOf(cookieValue)
    const cached = this.#cached(id)
    if (cached) return cached
    const session = await this.#store.loadSession(cookieValue)
    const stored = session && stateOf(session).stored
    if (stored) this.#remember(stored)
    return session
  }

  async storeSession(session: AnySession): Promise<string | undefined> {
    const { stored } = stateOf(session)
    if (stored) this.#passBy(stored.id)
    return this.#store.storeSession(session)
  }

  async destroySession(session: AnySession): Promise<void> {
    const { stored } = stateOf(session)
    if (stored) this.#passBy(stored.id)
    await this.#store.destroySession(session)
  }

  async clearStore(): Promise<void> {
    await this.#store.clearStore()
    await this.#cache.clearStore()
  }

  async #destroySessionsOf(
    owner: string,
    options: { except?: AnySession | string } = {},
  ): Promise<number> {
    const sessions = (await this.#store.sessionsOf?.(owner)) ?? []
    for (const { id } of sessions) this.#passBy(id)
    const ended = (await this.#store.destroySessionsOf?.(owner, options)) ?? 0
    // What was loaded in the meantime.
    for (const id of [...(partitionOf(this.#cache).owners.get(owner) ?? [])]) this.#passBy(id)
    return ended
  }

  async #destroySessionById(owner: string, id: string): Promise<boolean> {
    this.#passBy(id)
    return (await this.#store.destroySessionById?.(owner, id)) ?? false
  }

  #cached(id: string): AnySession | undefined {
    const now = Date.now()
    const entry = partitionOf(this.#cache).entries.get(id)?.value
    if (!entry || isExpired(entry.expiry, now) || entry.body === PASS_BY) return undefined
    const record: SessionRecord = JSON.parse(entry.body)
    const content = decodeRecord(record, now)
    if (!content) return undefined
    const session = new Session()
    stateOf(session).restore({ id, record }, content)
    return session
  }

  /** Unless a write was faster: what was loaded before it is not what is stored. */
  #remember({ id, record }: StoredRecord): void {
    const known = partitionOf(this.#cache).entries.get(id)?.value
    const now = Date.now()
    if (known && !isExpired(known.expiry, now)) return
    const expiry = Math.min(record.expiry ?? Number.POSITIVE_INFINITY, now + this.#maxAge)
    this.#put(id, { version: '', expiry, owner: record.owner, body: JSON.stringify(record) })
  }

  /** From now on, and until everything that was loaded before is too old, this session is read from the store. */
  #passBy(id: string): void {
    const expiry = Date.now() + this.#maxAge
    this.#put(id, { version: '', expiry, owner: null, body: PASS_BY })
  }

  #put(id: string, entry: SessionRecord): void {
    const partition = partitionOf(this.#cache)
    // A mark that is evicted would bring a signed-out session back: sessions go first.
    const rank = entry.body === PASS_BY ? 'owned' : 'anonymous'
    try {
      insertRecord(partition, id, entry, rank)
    } catch {
      // There is no room for it: it is read from the store.
      removeRecord(partition, id)
    }
  }
}
