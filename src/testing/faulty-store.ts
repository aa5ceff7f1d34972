import type { AnySession } from '../session/session.ts'
import type { SessionStore, SessionSummary } from '../storage/session-store.ts'
import { FaultPlan, type Stall } from './fault-plan.ts'

export type { Stall } from './fault-plan.ts'

/** The calls that can be made to fail or wait. `isWellFormed` is no call to a backend and not among them. */
export type FaultyMethod =
  | 'loadSession'
  | 'storeSession'
  | 'destroySession'
  | 'reloadSession'
  | 'clearStore'
  | 'sessionsOf'
  | 'destroySessionsOf'
  | 'destroySessionById'

/**
 * A store that fails and stalls when told to, for tests of how an app bears it. It has the methods of the store it wraps.
 *
 * @example
 * const store = new FaultyStore(new MemoryStore())
 * store.failNext('loadSession')
 * const response = await app.request('/', { headers: { Cookie: cookie } }) // 500, and not an anonymous page
 */
export class FaultyStore implements SessionStore {
  readonly #store: SessionStore
  readonly #plan = new FaultPlan<FaultyMethod>()

  // Those that the wrapped store may lack are there when it has them.
  /** @inheritDoc */
  declare isWellFormed?: NonNullable<SessionStore['isWellFormed']>
  /** @inheritDoc */
  declare reloadSession?: NonNullable<SessionStore['reloadSession']>
  /** @inheritDoc */
  declare sessionsOf?: NonNullable<SessionStore['sessionsOf']>
  /** @inheritDoc */
  declare destroySessionsOf?: NonNullable<SessionStore['destroySessionsOf']>
  /** @inheritDoc */
  declare destroySessionById?: NonNullable<SessionStore['destroySessionById']>

  /** Wraps a store. It behaves like that store until you call `failNext` or one of the `stall` methods. */
  constructor(store: SessionStore) {
    this.#store = store
    if (store.isWellFormed) this.isWellFormed = (value) => store.isWellFormed?.(value) ?? false
    if (store.reloadSession) this.reloadSession = this.#reloadSession
    if (store.sessionsOf) this.sessionsOf = this.#sessionsOf
    if (store.destroySessionsOf) this.destroySessionsOf = this.#destroySessionsOf
    if (store.destroySessionById) this.destroySessionById = this.#destroySessionById
  }

  /** @inheritDoc */
  get productionWarning(): string | undefined {
    return this.#store.productionWarning
  }

  /** As of the store it wraps, for a `CachingStore` in front. */
  get cacheName(): unknown {
    return (this.#store as { cacheName?: unknown }).cacheName
  }

  /** Every call so far, failed ones included, oldest first. */
  get calls(): readonly { readonly method: FaultyMethod }[] {
    return this.#plan.calls
  }

  /** The next call of `method` fails, with this error or one of its own, and does nothing. */
  failNext(method: FaultyMethod, error?: unknown): void {
    this.#plan.failNext(method, error)
  }

  /** The next call of `method` waits before it does anything. */
  stallNext(method: FaultyMethod): Stall {
    return this.#plan.stallNext(method)
  }

  /** The next call of `method` takes effect, and waits before it says so. */
  stallNextAfter(method: FaultyMethod): Stall {
    return this.#plan.stallNextAfter(method)
  }

  /** @inheritDoc */
  loadSession(cookieValue: string): Promise<AnySession | undefined> {
    return this.#plan.run('loadSession', () => this.#store.loadSession(cookieValue))
  }

  /** @inheritDoc */
  storeSession(session: AnySession): Promise<string | undefined> {
    return this.#plan.run('storeSession', () => this.#store.storeSession(session))
  }

  /** @inheritDoc */
  destroySession(session: AnySession): Promise<void> {
    return this.#plan.run('destroySession', () => this.#store.destroySession(session))
  }

  /** @inheritDoc */
  clearStore(): Promise<void> {
    return this.#plan.run('clearStore', () => this.#store.clearStore())
  }

  #reloadSession(session: AnySession): Promise<boolean> {
    return this.#plan.run(
      'reloadSession',
      async () => (await this.#store.reloadSession?.(session)) ?? true,
    )
  }

  #sessionsOf(owner: string, options?: { name?: string }): Promise<SessionSummary[]> {
    return this.#plan.run(
      'sessionsOf',
      async () => (await this.#store.sessionsOf?.(owner, options)) ?? [],
    )
  }

  #destroySessionsOf(
    owner: string,
    options?: { except?: AnySession | string; name?: string },
  ): Promise<number> {
    return this.#plan.run(
      'destroySessionsOf',
      async () => (await this.#store.destroySessionsOf?.(owner, options)) ?? 0,
    )
  }

  #destroySessionById(owner: string, id: string): Promise<boolean> {
    return this.#plan.run(
      'destroySessionById',
      async () => (await this.#store.destroySessionById?.(owner, id)) ?? false,
    )
  }
}
