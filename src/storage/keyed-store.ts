// The base class between the middleware's contract and a backend. Everything that is hard about sessions is here and in the
// files it uses, once for all stores; a backend contributes five atomic operations and knows nothing of sessions.

import { idOf, isValueShaped } from '../crypto/values.ts'
import { SessionError, storeFailed } from '../errors.ts'
import { checkOptions } from '../options/check-options.ts'
import { checkOwner } from '../session/owner.ts'
import { type AnySession, restored, Session, stateOf } from '../session/session.ts'
import { decodeRecord, isExpired, type SessionRecord } from '../session/session-record.ts'
import { type Backend, writeSession } from './conditional-write.ts'
import { endSessions, MAX_SIGN_OUT_ROUNDS, type OwnedRecord } from './revocation.ts'
import type { SessionStore, SessionSummary } from './session-store.ts'

/** The options of every store that extends `KeyedStore`. */
export interface KeyedStoreOptions {
  /** Largest record body, in bytes of UTF-8. Default 65,536. A larger session is refused with `SESSION_TOO_LARGE`. */
  readonly maxSessionBytes?: number
}

/**
 * The base of every store that keeps records under an id. It owns ids, expiry, rotation, conflict and retry; a backend
 * implements five operations, each one atomic step, and `recordsOf` if it can find records by owner.
 *
 * A cookie value is 32 random bytes in base64url. A record is kept under `base64url(SHA-256(cookie value))`, so a leaked
 * store signs nobody in.
 */
export abstract class KeyedStore implements SessionStore {
  readonly #backend: Backend

  // The three are there when the backend has `recordsOf`; `SessionStore` says what they do.
  /** @inheritDoc */
  declare sessionsOf?: NonNullable<SessionStore['sessionsOf']>
  /** @inheritDoc */
  declare destroySessionsOf?: NonNullable<SessionStore['destroySessionsOf']>
  /** @inheritDoc */
  declare destroySessionById?: NonNullable<SessionStore['destroySessionById']>

  /**
   * Call it from the constructor of your store, with the options you were given.
   *
   * @throws TypeError for an option that does not exist, or for a `maxSessionBytes` that is not a positive integer.
   */
  constructor(options?: KeyedStoreOptions) {
    const { maxSessionBytes = 65_536 } = checkOptions('KeyedStore', options)
    this.#backend = {
      maxSessionBytes,
      read: (id) => this.read(id),
      insert: (id, record) => this.insert(id, record),
      replace: (id, record, before) => this.supersede(id, record, before),
      remove: (id, version) => this.remove(id, version),
    }
    if (!this.recordsOf) return
    this.sessionsOf = this.#sessionsOf
    this.destroySessionsOf = this.#destroySessionsOf
    this.destroySessionById = this.#destroySessionById
  }

  /** The record under `id`, or `undefined`. Expired ones may be given or not: the library looks itself. */
  protected abstract read(id: string): Promise<SessionRecord | undefined>
  /** Writes unless the id is taken. False: it is taken, nothing was written. */
  protected abstract insert(id: string, record: SessionRecord): Promise<boolean>
  /**
   * Writes if the record under `id` has this version. False: it is gone or has another one, nothing was written. An expired
   * record is best treated as gone, so that a write which was long on its way does not bring it back.
   */
  protected abstract replace(id: string, record: SessionRecord, version: string): Promise<boolean>
  /** Removes the record under `id`, if it has this version when one is given. False: absent, or another version. */
  protected abstract remove(id: string, version?: string): Promise<boolean>
  /** `replace` for a backend that has to know what was there. Called by the library, which always knows. */
  protected supersede(id: string, record: SessionRecord, before: SessionRecord): Promise<boolean> {
    return this.replace(id, record, before.version)
  }
  /** Gives the ids that were there. For a backend that can do it in fewer steps to override. */
  protected async removeMany(ids: readonly string[]): Promise<string[]> {
    const removed = await Promise.all(ids.map((id) => this.remove(id)))
    return ids.filter((_id, i) => removed[i])
  }

  /** Removes every record of this store and none of another. */
  protected abstract removeAll(): Promise<void>
  /** The records of one owner, with their ids, as of now. */
  protected recordsOf?(owner: string): Promise<[id: string, record: SessionRecord][]>
  /** The same in batches, each of which is dealt with before the next one is read. */
  protected async *batchesOf(owner: string): AsyncGenerator<[id: string, record: SessionRecord][]> {
    yield (await this.recordsOf?.(owner)) ?? []
  }
  /**
   * For a backend that can do it in one statement: removes the owner's live records but the excepted one, and says how many.
   */
  protected removeOwned?(owner: string, except: string | undefined): Promise<number>
  /** Optional: a sentence on what to do about an error of the backend's. It is for the message of `STORE_FAILED`. */
  protected advice?(error: unknown): string | undefined

  /**
   * The kind of store and its prefix, table or name, which tell its sessions from another store's. `CachingStore` keeps them
   * apart by it; for a store without one it asks for a `name`.
   */
  get cacheName(): string | undefined {
    return undefined
  }

  /** @inheritDoc */
  isWellFormed(cookieValue: string): boolean {
    return isValueShaped(cookieValue)
  }

  /** @inheritDoc */
  async loadSession(cookieValue: string): Promise<AnySession | undefined> {
    if (!isValueShaped(cookieValue)) return undefined
    const id = await idOf(cookieValue)
    // Inlined instead of using `ask()`, here and below: an extra async call is measurable on this path.
    try {
      const record = await this.read(id)
      const content = record && decodeRecord(record, Date.now())
      return content && restored({ id, record }, content)
    } catch (error) {
      throw this.#failure('read a session', error)
    }
  }

  /** @inheritDoc */
  async storeSession(session: AnySession): Promise<string | undefined> {
    const state = stateOf(session)
    if (state.life.is === 'replacing') await this.destroySession(session)
    try {
      return await writeSession(state, this.#backend)
    } catch (error) {
      throw this.#failure('write a session', error)
    }
  }

  /** @inheritDoc */
  async destroySession(session: AnySession): Promise<void> {
    const state = stateOf(session)
    await state.idle() // what a write under way brings back has to go, too
    const { stored } = state
    if (!stored) return
    await this.ask('remove a session', () => this.remove(stored.id))
    state.recordRemoved()
  }

  /** @inheritDoc */
  async reloadSession(session: AnySession): Promise<boolean> {
    const state = stateOf(session)
    await state.idle()
    if (state.life.is !== 'stored') return !state.isDestroyed
    const { id } = state.life.stored
    const record = await this.ask('read a session', () => this.read(id))
    const content = record && decodeRecord(record, Date.now())
    if (content) state.rebase({ id, record }, content)
    return content !== undefined
  }

  /** @inheritDoc */
  async clearStore(): Promise<void> {
    await this.ask('clear itself', () => this.removeAll())
  }

  async #sessionsOf(owner: string, options: OwnerOptions = {}): Promise<SessionSummary[]> {
    checkOwner(owner, 'sessionsOf')
    checkName(options.name, 'sessionsOf')
    const now = Date.now()
    const summaries: SessionSummary[] = []
    for await (const records of this.#batchesOf(owner)) {
      summaries.push(...records.flatMap(([id, record]) => summary(id, record, now)))
    }
    return summaries
      .filter(({ name }) => options.name === undefined || name === options.name)
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  }

  async #destroySessionsOf(
    owner: string,
    { except, name }: OwnerOptions & { except?: AnySession | string } = {},
  ): Promise<number> {
    checkOwner(owner, 'destroySessionsOf')
    checkName(name, 'destroySessionsOf')
    const kept = except instanceof Session ? stateOf(except).stored?.id : except
    const removed = name === undefined ? await this.#removeOwned(owner, kept) : 0
    const list = () => this.#batchesOf(owner)
    const remove = (records: OwnedRecord[]) => this.#removeLive(records)
    return removed + (await endSessions(list, remove, { except: kept, name }))
  }

  async #removeOwned(owner: string, except: string | undefined): Promise<number> {
    const remove = async () => (await this.removeOwned?.(owner, except)) ?? 0
    return this.ask('remove sessions', remove)
  }

  /** Removes them all, and says how many had not expired. */
  async #removeLive(records: OwnedRecord[]): Promise<number> {
    if (records.length === 0) return 0
    const now = Date.now()
    const ids = records.map(([id]) => id)
    const removed = new Set(await this.ask('remove sessions', () => this.removeMany(ids)))
    return records.filter(([id, { expiry }]) => removed.has(id) && !isExpired(expiry, now)).length
  }

  async #destroySessionById(owner: string, id: string): Promise<boolean> {
    checkOwner(owner, 'destroySessionById')
    if (typeof id !== 'string') throw new TypeError('destroySessionById() takes an id as a string.')
    if (!isValueShaped(id)) return false
    for (let round = 0; round < MAX_SIGN_OUT_ROUNDS; round++) {
      const record = await this.ask('read a session', () => this.read(id))
      // It was theirs a moment ago: ended by somebody else, or by our removal, made twice.
      if (!record && round > 0) return true
      if (record?.owner !== owner || isExpired(record.expiry, Date.now())) return false
      // With its version, or a record that has just been rotated would be taken for the session.
      if (await this.ask('remove a session', () => this.remove(id, record.version))) return true
    }
    throw new SessionError(
      'STORE_FAILED',
      'The store goes on giving a session after it was removed. Check its remove() and try again.',
    )
  }

  async *#batchesOf(owner: string): AsyncGenerator<OwnedRecord[]> {
    try {
      for await (const records of this.batchesOf(owner)) {
        // An index may still name a session that was rotated.
        yield records.filter(([, record]) => record.owner !== null)
      }
    } catch (error) {
      throw this.#failure('list the sessions of an owner', error)
    }
  }

  /** Calls the backend and turns its error into the `cause` of a `STORE_FAILED`. */
  protected async ask<T>(action: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation()
    } catch (error) {
      throw this.#failure(action, error)
    }
  }

  #failure(action: string, error: unknown): unknown {
    return storeFailed(action, error, this.advice?.(error))
  }
}

/** Limits a call to the sessions of one middleware. */
type OwnerOptions = NonNullable<Parameters<NonNullable<SessionStore['sessionsOf']>>[1]>

function checkName(name: unknown, method: string): void {
  if (name === undefined || typeof name === 'string') return
  throw new TypeError(`${method}() takes a name as a string.`)
}

/** A `KeyedStore` whose backend can find records by owner, so the three owner methods, optional in `SessionStore`, always exist. */
export abstract class IndexedStore extends KeyedStore {
  /** @inheritDoc */
  declare sessionsOf: NonNullable<SessionStore['sessionsOf']>
  /** @inheritDoc */
  declare destroySessionsOf: NonNullable<SessionStore['destroySessionsOf']>
  /** @inheritDoc */
  declare destroySessionById: NonNullable<SessionStore['destroySessionById']>

  /** The records of one owner, with their ids, as of now. */
  protected abstract override recordsOf(
    owner: string,
  ): Promise<[id: string, record: SessionRecord][]>
}

/** A device as its owner sees it. None for a record that cannot be read. */
function summary(id: string, record: SessionRecord, now: number): SessionSummary[] {
  const content = decodeRecord(record, now)
  if (!content) return []
  const expiry = record.expiry === null ? undefined : new Date(record.expiry)
  const { name, device, createdAt, usedAt } = content
  const lastUsedAt = new Date(usedAt ?? createdAt)
  return [
    { id, name, device: device ?? undefined, createdAt: new Date(createdAt), lastUsedAt, expiry },
  ]
}
