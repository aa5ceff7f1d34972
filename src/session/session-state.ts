// The one mutable object of a session. It is apart from `Session` so that handlers cannot reach what only stores and the
// middleware may do, and so that all of it can be tested without a request. Where a session is in its life is in life.ts,
// what a request still allows in phase.ts, when it ends in lifetime.ts.

import { runUserCallback, type SessionError, sessionGone } from '../errors.ts'
import { ALL_KEYS, type Change, changeData, type Rotation } from './change.ts'
import { begunAnew, destroyed, type Life, type StoredRecord, withoutRecord } from './life.ts'
import { cappedExpiry, extensionDueAt, freshExpiry, type Lifetime, UNLIMITED } from './lifetime.ts'
import { committed, PHASES, type Phase, unloaded } from './phase.ts'
import { SchemaReader, type Schemas } from './schema.ts'
import { DEFAULT_NAME, emptyContent, ownProperty, type SessionContent } from './session-content.ts'
import { decodeBody, isExpired, type SessionRecord } from './session-record.ts'
import { Turns } from './turns.ts'

/** The work of one call of `storeSession`. The handler may go on changing the session meanwhile. */
export interface Write {
  readonly life: Life
  readonly changes: readonly Change[]
  readonly rotation: Rotation | undefined
  readonly content: SessionContent
}

/** What the store has to do about a session. */
export type Status = 'unchanged' | 'extended' | 'changed' | 'destroyed'

/** The request that a session belongs to. */
export interface Manager {
  /** Stores the session now. */
  save(): Promise<void>
  /** Reads the session again. */
  reload(): Promise<void>
  /** A `save()` was refused. Whoever called it may not have waited for it. */
  refused(error: unknown): void
  /** The handler has looked at the session for the first time. */
  accessed(): void
  /** The handler changes the session, so the store will be called, and may fail. */
  changing(): void
  /** A request that nobody looks at (`HEAD`, a prefetch) leaves flashes for one that somebody does. */
  takesFlashes(): boolean
}

/**
 * A session: as it was stored, as it is now, and the changes in between.
 *
 * `Session` shows it to handlers; stores and the middleware work on it. No I/O, no Hono, no store.
 */
export class SessionState {
  /** Where it is in its life. Every step is a new object, so a write can tell that the handler has moved on. */
  life: Life = { is: 'fresh' }
  /** The content now, with all changes of this request. Values in it are never changed in place. */
  content: SessionContent = emptyContent(DEFAULT_NAME, Date.now())
  /** When it ends, in epoch milliseconds; `null` for never, `undefined` if it was not stored yet. */
  expiry: number | null | undefined
  /** From when on a request that only reads moves the expiry. */
  #dueAt = Number.POSITIVE_INFINITY
  /** The handler's changes that are not stored yet, in order. Applied again if another request was faster. */
  changes: Change[] = []
  /** The handler has looked, so the response may depend on who asks. */
  accessed = false
  /** How far the request is, and so what it still allows. */
  phase: Phase = 'open'
  /** Set when the response is settled: does the browser have this session's cookie? If not, nothing can be saved later. */
  clientHasCookie = false
  /** The app's timeouts. A session outside of any middleware has none. */
  lifetime: Lifetime = UNLIMITED
  /** Reads data through the app's schemas, if there are any. */
  schema: SchemaReader | undefined
  /** The request that it belongs to; `undefined` for one that was made or loaded outside of any middleware. */
  manager: Manager | undefined
  /** How many attempts the last write took. */
  attempts = 1
  /** The write that is under way. Changes made meanwhile are not in it. */
  #write: Write | undefined
  /** Made for the first write: most requests have none. */
  #writes: Turns | undefined
  /** `save(change)` is running `change`. */
  #inSave = false

  /** A store has loaded this. `needsReissue`: the cookie was made with an older secret, so it is sent again. */
  restore(stored: StoredRecord, content: SessionContent, needsReissue = false): void {
    this.life = { is: 'stored', stored, needsReissue }
    this.content = content
    this.expiry = stored.record.expiry
  }

  /** The record was read again. Shows it, with the unsaved changes of this request on top. */
  rebase(stored: StoredRecord, content: SessionContent): void {
    if (this.life.is !== 'stored') return
    this.life = { is: 'stored', stored }
    this.#put(content)
    this.#showExpiry(stored.record.expiry)
  }

  /** Puts the session under a middleware: its name, its timeouts, its schemas, and the request that stores it. */
  attach(name: string, lifetime: Lifetime, manager: Manager, schema?: Schemas): void {
    if (schema) this.schema = new SchemaReader(schema)
    this.lifetime = lifetime
    this.manager = manager
    const { life, content } = this
    if (life.stored) this.#showExpiry(life.stored.record.expiry)
    else content.name = name
  }

  /** The record in the store, even if it is about to be removed. */
  get stored(): StoredRecord | undefined {
    return this.life.stored
  }

  /** Has no store ever held it? A session that began after `destroy()` is new again. */
  get isNew(): boolean {
    const { life } = this
    return life.is === 'fresh' || life.is === 'replacing' || (life.is === 'ended' && !life.id)
  }

  /** `destroy()` was called, and nothing was begun in its place. */
  get isDestroyed(): boolean {
    return this.life.is === 'ending' || this.life.is === 'ended'
  }

  /** There is none while a rotation is on its way: the old id is about to die, the new one is not known yet. */
  get id(): string | undefined {
    const { life } = this
    if (life.is === 'fresh' || life.is === 'replacing') return undefined
    if (life.is === 'ended') return life.id
    return this.rotation || this.#write?.rotation ? undefined : life.stored.id
  }

  /** Does what was done call for a new cookie value, and why? A sign-in wins: it does all that `regenerate` does. */
  get rotation(): Rotation | undefined {
    let rotation: Rotation | undefined
    for (const change of this.changes) {
      if (change.rotation === 'signIn') return 'signIn'
      rotation ??= change.rotation
    }
    return rotation
  }

  /** Data was changed and is not stored yet. */
  get dataChanged(): boolean {
    return changeData(this.changes) || changeData(this.#write?.changes ?? [])
  }

  /** Is a write under way that stores this session, and not one that was ended meanwhile? */
  get isBeingStored(): boolean {
    return this.#write?.life === this.life
  }

  /** Has it ended by the clock? One that was never stored has no end yet. */
  isExpired(now: number): boolean {
    const { expiry = null } = this
    return expiry !== null && expiry <= now
  }

  /** What the store has to do at the end of the request. */
  status(now: number): Status {
    const { life } = this
    if (life.is === 'ended') return 'unchanged'
    if (life.is === 'ending') return 'destroyed'
    if (this.changes.length > 0 || life.is === 'replacing') return 'changed'
    if (life.is === 'fresh') return 'unchanged'
    const isDue = now >= this.#dueAt && PHASES[this.phase].cookieCanBeSent
    return isDue || life.needsReissue ? 'extended' : 'unchanged'
  }

  /** The expiry to store `content` with, in place of `stored` if there is one. Throws `SESSION_GONE` if it has passed. */
  expiryToStore(
    { changes, rotation }: Write,
    content: SessionContent,
    stored: SessionRecord | undefined,
    now: number,
  ): number | null {
    const { lifetime } = this
    const before = stored
      ? cappedExpiry(stored.expiry, content, lifetime)
      : freshExpiry(content, lifetime, now)
    // A sign-in stands even if the session it came from has ended: somebody has just authenticated.
    if (rotation !== 'signIn' && isExpired(before, now)) throw sessionGone()
    const mustMove = rotation || changes.some(({ movesExpiry }) => movesExpiry)
    // If the record lived longer than its cookie, the store would keep a session that nobody can come back to.
    const mayMove = mustMove || PHASES[this.phase].cookieCanBeSent
    const moves = mustMove || (mayMove && now >= extensionDueAt(before, content, lifetime))
    return moves ? freshExpiry(content, lifetime, now) : before
  }

  /** The value under `key`, as the app may see it. */
  read(key: string, { data }: SessionContent = this.content): unknown {
    const raw = ownProperty(data, key)
    return this.schema ? this.schema.read(key, raw) : raw
  }

  /** The handler looks at the session. */
  access(): void {
    if (this.accessed) return
    this.accessed = true
    this.manager?.accessed()
  }

  /** Applies a change now, and remembers it for the store. */
  perform(change: Change): void {
    this.assertWritable()
    change.apply(this.content)
    this.record(change)
  }

  /** Remembers what was just done to `content`, to do it again if another request was faster. */
  record(change: Change): void {
    if (this.isDestroyed) {
      this.life = begunAnew(this.life)
      this.content.createdAt = Date.now()
      this.expiry = undefined
    }
    if (this.changes.length === 0) this.manager?.changing()
    this.changes.push(change)
    if (change.movesExpiry || (change.rotation && this.expiry !== undefined)) this.#moveExpiry()
  }

  /** Has this request done something to `key` already? */
  hasTouched(key: string): boolean {
    return this.changes.some((change) => change.key === key || change.key === ALL_KEYS)
  }

  /** May the session be changed right now? `save(change)` may change it late, if no new cookie is needed. */
  get isWritable(): boolean {
    return PHASES[this.phase].mayChange || (this.#inSave && !this.stored?.inCookie)
  }

  /** Called first by everything that changes the session. */
  assertWritable(): void {
    if (!this.isWritable) throw this.#tooLate()
    if (this.isDestroyed) this.assertNewCookie()
  }

  /** Throws if a change that needs a new cookie comes too late for one. */
  assertNewCookie(): void {
    if (this.phase === 'open') return
    throw committed('This change needs a new cookie: make it before the handler returns.')
  }

  /** Throws if storing what was done would need a cookie that can no longer be sent. */
  assertCookieCanFollow(): void {
    if (PHASES[this.phase].cookieCanBeSent) return
    const { life } = this
    const isNew = life.is === 'fresh' || life.is === 'replacing'
    if (isNew || this.rotation || this.stored?.inCookie) throw this.#tooLate()
  }

  /** Throws if nothing can be stored: the session could not be loaded, so nobody knows what would be overwritten. */
  assertSavable(): void {
    if (this.phase === 'unloaded') throw this.#tooLate()
  }

  #tooLate(): SessionError {
    if (this.phase === 'unloaded') return unloaded()
    if (this.stored?.inCookie) {
      return committed('It is kept in its cookie: change it before the handler returns.')
    }
    return this.#canBeSavedLate
      ? committed('Use `await session.save((session) => …)` there.')
      : committed('This visitor has no session cookie: write before the handler returns.')
  }

  get #canBeSavedLate(): boolean {
    return this.phase === 'settled' ? this.clientHasCookie : this.stored !== undefined
  }

  /**
   * Runs the change of `save(change)`, which may come after the response is settled. All or nothing: if it throws, or
   * returns a promise, the session is as it was before.
   */
  applyInSave(change: () => unknown): void {
    if (this.phase !== 'open' && !this.#canBeSavedLate) throw this.#tooLate()
    const undo = this.#snapshot()
    this.#inSave = true
    try {
      const result = change()
      if (isThenable(result)) throw asyncChange(result)
    } catch (error) {
      undo()
      throw error
    } finally {
      this.#inSave = false
    }
  }

  /** Values are never changed in place, so what holds them is all there is to copy. */
  #snapshot(): () => void {
    const { life, content, expiry } = this
    const changes = [...this.changes]
    const before = { ...content, data: { ...content.data }, flash: { ...content.flash } }
    return () => {
      Object.assign(this, { life, expiry, changes })
      this.content = Object.assign(content, before)
    }
  }

  /** Ends the session. The store hears of it at the end of the request, or with the next `save()`. */
  destroy(): void {
    if (this.isDestroyed) return
    this.assertWritable()
    this.manager?.changing()
    this.life = destroyed(this.life)
    this.changes = []
    this.content = emptyContent(this.content.name, this.content.createdAt)
  }

  /**
   * Hands the pending changes to `store`, one write after the other. If `store` fails, they are pending again, unless the
   * handler has ended the session meanwhile. If it succeeds, it has called `completeWrite`.
   */
  write<T>(store: (write: Write) => Promise<T>): Promise<T> {
    this.#writes ??= new Turns()
    return this.#writes.run(async () => {
      const { life, changes, content } = this
      if (life.is !== 'fresh' && life.is !== 'stored') throw sessionGone()
      const rotation = life.is === 'stored' ? this.rotation : undefined
      const write = { life, changes, rotation, content }
      this.#write = write
      this.changes = []
      try {
        return await store(write)
      } catch (error) {
        this.#abortWrite(write)
        throw error
      }
    })
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await this.#writes?.idle()
  }

  /**
   * The write has succeeded, with `content` and after so many attempts. What the handler has changed meanwhile goes on top. If
   * it has ended the session meanwhile, what was just stored has to end as well.
   */
  completeWrite(
    write: Write,
    stored: StoredRecord,
    content: SessionContent = write.content,
    attempts = 1,
  ): void {
    this.#write = undefined
    this.attempts = attempts
    if (this.life !== write.life) {
      this.life = { is: this.isDestroyed ? 'ending' : 'replacing', stored }
      return
    }
    this.life = { is: 'stored', stored }
    if (content !== this.content) this.#put(content)
    this.#showExpiry(stored.record.expiry)
  }

  /** Shows the stored expiry as far as the absolute timeout lets it, unless a change that is not stored yet has moved it. */
  #showExpiry(stored: number | null): void {
    const { content, lifetime } = this
    this.expiry = cappedExpiry(stored, content, lifetime)
    this.#dueAt = extensionDueAt(this.expiry, content, lifetime)
    if (this.changes.some(({ movesExpiry, rotation }) => movesExpiry || rotation))
      this.#moveExpiry()
  }

  #moveExpiry(): void {
    this.expiry = freshExpiry(this.content, this.lifetime, Date.now())
  }

  #put(content: SessionContent): void {
    this.content = content
    for (const change of this.changes) runUserCallback(() => change.apply(content))
  }

  #abortWrite(write: Write): void {
    if (this.#write !== write) return // it was stored, and what came after it has failed
    this.#write = undefined
    if (this.life === write.life) this.changes = [...write.changes, ...this.changes]
  }

  /** The store has removed the record. A session that began in its place is not concerned. */
  recordRemoved(): void {
    this.life = withoutRecord(this.life)
  }

  /** Goes back to what is stored, because the request has failed. A `destroy()` stays. */
  discard(): void {
    const { life, content } = this
    this.changes = []
    if (life.is === 'replacing') this.life = { is: 'ending', stored: life.stored }
    const record = life.is === 'stored' ? life.stored.record : undefined
    this.content = (record && decodeBody(record)) ?? emptyContent(content.name, content.createdAt)
    this.expiry = undefined
    if (record) this.#showExpiry(record.expiry)
  }

  /** Takes back a sign-in that is not stored yet, because the request was refused (401, 403). Everything else stays. */
  dropSignIn(): void {
    const kept = this.changes.filter(({ rotation }) => rotation !== 'signIn')
    if (kept.length === this.changes.length) return
    this.discard()
    for (const change of kept) {
      runUserCallback(() => change.apply(this.content))
      this.record(change)
    }
  }
}

/** Also promises of other realms and libraries. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function asyncChange(result: PromiseLike<unknown>): TypeError {
  // Nobody waits for it any more. The error below says what is wrong, so its own must not be reported as unhandled.
  result.then(undefined, () => {})
  return new TypeError(
    'save(change) takes a function that returns nothing, not a promise: do what has to be awaited first, then call save. Nothing was stored.',
  )
}
