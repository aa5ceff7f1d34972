/**
 * @module isolate-session/caching
 */

import { idOf } from '../crypto/values.ts'
import { checkOptions } from '../options/check-options.ts'
import { isStore } from '../options/options.ts'
import { type AnySession, restored, stateOf } from '../session/session.ts'
import { decodeRecord } from '../session/session-record.ts'
import type { SessionStore } from '../storage/session-store.ts'
import { checkClient } from './shared/client.ts'
import {
  beginLoad,
  cacheNamed,
  forget,
  forgetAll,
  forgetOwner,
  type IsolateCache,
  recall,
  remember,
} from './shared/isolate-cache.ts'

export type { AnySession } from '../session/session.ts'
export type { SessionStore } from '../storage/session-store.ts'

/** The options of `CachingStore`. */
export interface CachingStoreOptions {
  /** How long a session may be read from this isolate, in seconds. */
  readonly maxAge: number
  /**
   * Which store is behind: caches of one name, in one isolate, are one. Default what the store says of itself: its kind, and
   * its prefix or table. Required where one isolate talks to several databases with equal tables, and for a store that is
   * none of this package.
   */
  readonly name?: string
  /** Most sessions it keeps. Default 10,000. */
  readonly maxSessions?: number
  /** Most bytes of heap it takes, estimated. Default 16,777,216: an eighth of an isolate's 128 MB. */
  readonly maxBytes?: number
}

/**
 * A cache in front of another store: reads come from the memory of this isolate for up to `maxAge` seconds.
 *
 * **Everything that is done in other isolates is seen here up to `maxAge` seconds late**: sign-out, revocation, and the
 * visitor's own changes. What is done in this isolate is seen at once. Writes go through and are still conditional: no update
 * is lost, and a session that has ended elsewhere does not come back. Only reading lags.
 *
 * Bounded in count and bytes: first in, first out. It is for sessions that are read often and written rarely.
 *
 * @example
 * session({ store: (c) => new CachingStore(new D1Store(c.env.DB), { maxAge: 5 }) })
 */
export class CachingStore implements SessionStore {
  readonly #store: SessionStore
  readonly #maxAge: number
  readonly #cache: IsolateCache

  /** @inheritDoc */
  declare isWellFormed?: Required<SessionStore>['isWellFormed']
  /** @inheritDoc */
  declare reloadSession?: Required<SessionStore>['reloadSession']
  /** @inheritDoc */
  declare sessionsOf?: Required<SessionStore>['sessionsOf']
  /** @inheritDoc */
  declare destroySessionsOf?: Required<SessionStore>['destroySessionsOf']
  /** @inheritDoc */
  declare destroySessionById?: Required<SessionStore>['destroySessionById']

  /**
   * Keeps what was read from `store` in the isolate's memory, for at most `maxAge` seconds.
   *
   * @throws TypeError unless `maxAge` is a positive, finite number of seconds and the bounds are positive integers, and
   * without a `name` for a store that does not say which one it is.
   */
  constructor(store: SessionStore, options: CachingStoreOptions) {
    const {
      maxAge,
      name,
      maxSessions = 10_000,
      maxBytes = 16_777_216,
    } = checkOptions('CachingStore', options)
    checkClient(store, 'CachingStore takes a session store, made with `new`', isStore)
    this.#store = store
    this.#maxAge = maxAge * 1000
    this.#cache = Object.assign(cacheNamed(nameOf(store, name)), { maxSessions, maxBytes })
    if (store.isWellFormed) this.isWellFormed = (value) => store.isWellFormed?.(value) ?? false
    if (store.sessionsOf) this.sessionsOf = store.sessionsOf.bind(store)
    if (store.reloadSession) this.reloadSession = this.#reloadSession
    if (store.destroySessionsOf) this.destroySessionsOf = this.#destroySessionsOf
    if (store.destroySessionById) this.destroySessionById = this.#destroySessionById
  }

  /** @inheritDoc */
  get productionWarning(): string | undefined {
    return this.#store.productionWarning
  }

  /** @inheritDoc */
  async loadSession(cookieValue: string): Promise<AnySession | undefined> {
    if (typeof cookieValue !== 'string' || this.isWellFormed?.(cookieValue) === false) {
      return undefined
    }
    const cached = this.#recall(await idOf(cookieValue))
    if (cached) return cached
    const load = beginLoad(this.#cache)
    const session = await this.#store.loadSession(cookieValue)
    const stored = session && stateOf(session).stored
    if (stored) remember(this.#cache, stored.id, stored.record, load)
    return session
  }

  /** @inheritDoc */
  storeSession(session: AnySession): Promise<string | undefined> {
    return this.#changing(session, () => this.#store.storeSession(session))
  }

  /** @inheritDoc */
  destroySession(session: AnySession): Promise<void> {
    return this.#changing(session, () => this.#store.destroySession(session))
  }

  /** Removes every session of the store behind, and what this isolate remembers of them. */
  async clearStore(): Promise<void> {
    try {
      await this.#store.clearStore()
    } finally {
      forgetAll(this.#cache)
    }
  }

  #reloadSession(session: AnySession): Promise<boolean> {
    const reload = async () => (await this.#store.reloadSession?.(session)) ?? false
    return this.#changing(session, reload)
  }

  async #destroySessionsOf(
    ...[owner, options]: Parameters<Required<SessionStore>['destroySessionsOf']>
  ): Promise<number> {
    try {
      return (await this.#store.destroySessionsOf?.(owner, options)) ?? 0
    } finally {
      forgetOwner(this.#cache, owner)
    }
  }

  #destroySessionById(owner: string, id: string): Promise<boolean> {
    const destroy = async () => (await this.#store.destroySessionById?.(owner, id)) ?? false
    return this.#changingId(id, destroy)
  }

  #recall(id: string): AnySession | undefined {
    const record = recall(this.#cache, id, this.#maxAge)
    const content = record && decodeRecord(record, Date.now())
    return content && restored({ id, record }, content)
  }

  #changing<T>(session: AnySession, change: () => Promise<T>): Promise<T> {
    return this.#changingId(stateOf(session).stored?.id, change)
  }

  /** Afterwards, too, and also if it fails: a load that began meanwhile may have come before the change. */
  async #changingId<T>(id: string | undefined, change: () => Promise<T>): Promise<T> {
    if (id === undefined) return change()
    forget(this.#cache, id)
    try {
      return await change()
    } finally {
      forget(this.#cache, id)
    }
  }
}

/** Both are looked at: stores that say of themselves that they differ never share an entry, whatever name they were given. */
function nameOf(store: SessionStore, name: string | undefined): string {
  const { cacheName } = store as { cacheName?: unknown }
  if (name === undefined && typeof cacheName !== 'string') {
    throw new TypeError(
      'CachingStore: this store does not say which one it is. Pass a `name` that no other store in this Worker has.',
    )
  }
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw new TypeError('CachingStore: name must be a string that is not empty.')
  }
  return JSON.stringify([cacheName, name])
}
