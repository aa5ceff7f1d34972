// The one mutable object of a session. It is apart from `Session` so that handlers cannot reach what only stores and the
// middleware may do, and so that all of it can be tested without a request. Where a session is in its life is in life.ts,
// what a request still allows in phase.ts, when it ends in lifetime.ts.

import { runUserCallback, type SessionError, sessionGone } from '../errors.ts'
import {
  ALL_KEYS,
  type Change,
  changeData,
  moveExpiry,
  type Rotation,
  rotationOf,
} from './change.ts'
import { begunAnew, destroyed, type Life, type StoredRecord, withoutRecord } from './life.ts'
import { cappedExpiry, freshExpiry, isExtensionDue, type Lifetime, UNLIMITED } from './lifetime.ts'
import { committed, PHASES, type Phase, unloaded } from './phase.ts'
import { SchemaReader, type Schemas } from './schema.ts'
import { DEFAULT_NAME, emptyContent, ownProperty, type SessionContent } from './session-content.ts'
import { decodeBody, isExpired, type SessionRecord } from './session-record.ts'
import { Turns } from './turns.ts'

/** What one call of `storeSession` has taken on; the handler may go on changing the session meanwhile. */
export interface Write {
  readonly life: Life
  readonly changes: readonly Change[]
  readonly rotation: Rotation | undefined
  readonly content: SessionContent
}

/** What has to be done about a session. */
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
  /** A request that nobody looks at (`HEAD`, a prefetch) leaves flashes for one that somebody does. */
  takesFlashes(): boolean
}

/**
 * What a session was, what was done to it and what it is now.
 *
 * `Session` shows it to handlers; stores and the middleware work on it. No I/O, no Hono, no store.
 */
export class SessionState {
  life: Life = { is: 'fresh' }
  content: SessionContent = emptyContent(DEFAULT_NAME, Date.now())
  expiry: number | null | undefined
  changes: Change[] = []
  /** The handler has looked, so the response may depend on who asks. */
  accessed = false
  phase: Phase = 'open'
  /** Once the response is settled: the browser has this session's cookie. */
  clientHasCookie = false
  lifetime: Lifetime = UNLIMITED
  /** Reads data through the app's schemas, if there are any. */
  schema: SchemaReader | undefined
  manager: Manager | undefined
  /** How many attempts the last write took. */
  attempts = 1
  /** What the write that is under way has taken on. */
  #write: Write | undefined
  #writes: Turns | undefined
  /** `save(change)` is running `change`. */
  #inSave = false

  /** The session becomes what a store has loaded. */
  restore(stored: StoredRecord, content: SessionContent, needsReissue = false): void {
    this.life = { is: 'stored', stored, needsReissue }
    this.content = content
    this.expiry = stored.record.expiry
  }

  /** The record was read again: what is stored now, with the unsaved changes of this request on top. */
  rebase(stored: StoredRecord, content: SessionContent): void {
    if (this.life.is !== 'stored') return
    this.life = { is: 'stored', stored }
    this.#put(content)
    this.#showExpiry(cappedExpiry(stored.record.expiry, content, this.lifetime))
  }

  /** Comes under a middleware's name and timeouts. */
  attach(name: string, lifetime: Lifetime, manager: Manager, schema?: Schemas): void {
    if (schema) this.schema = new SchemaReader(schema)
    this.lifetime = lifetime
    this.manager = manager
    const { stored } = this
    if (stored) this.expiry = cappedExpiry(stored.record.expiry, this.content, lifetime)
    else this.content.name = name
  }

  get isManaged(): boolean {
    return this.manager !== undefined
  }

  /** What the store has of this session, also when that is about to end. */
  get stored(): StoredRecord | undefined {
    return this.life.stored
  }

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

  get rotation(): Rotation | undefined {
    return rotationOf(this.changes)
  }

  /** Data was changed and is not stored yet. */
  get dataChanged(): boolean {
    return changeData(this.changes) || changeData(this.#write?.changes ?? [])
  }

  /** A write is storing this very session. */
  get isBeingStored(): boolean {
    return this.#write?.life === this.life
  }

  isExpired(now: number): boolean {
    return this.expiry !== undefined && isExpired(this.expiry, now)
  }

  status(now: number): Status {
    const { life, expiry = null } = this
    if (life.is === 'ended') return 'unchanged'
    if (life.is === 'ending') return 'destroyed'
    if (this.changes.length > 0 || life.is === 'replacing') return 'changed'
    if (life.is === 'fresh') return 'unchanged'
    const isDue = life.needsReissue || this.isExtensionDue(expiry, this.content, now)
    return isDue ? 'extended' : 'unchanged'
  }

  /** May and should `expiry` move now? */
  isExtensionDue(expiry: number | null, content: SessionContent, now: number): boolean {
    // Once the cookie cannot follow any more, the record must not run ahead of it.
    return this.cookieCanBeSent && isExtensionDue(expiry, content, this.lifetime, now)
  }

  /** The expiry to store `content` with, in place of `stored` if there is one. Throws `SESSION_GONE` if it has passed. */
  expiryToStore(
    { changes, rotation }: Write,
    content: SessionContent,
    stored: SessionRecord | undefined,
    now: number,
  ): number | null {
    const fresh = freshExpiry(content, this.lifetime, now)
    const before = stored ? cappedExpiry(stored.expiry, content, this.lifetime) : fresh
    // A sign-in stands even if the session it came from has ended: somebody has just authenticated.
    if (rotation !== 'signIn' && isExpired(before, now)) throw sessionGone()
    const moves = rotation !== undefined || changes.some(({ movesExpiry }) => movesExpiry)
    return moves || this.isExtensionDue(before, content, now) ? fresh : before
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

  /** Does it, and remembers it. */
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
    this.changes.push(change)
    if (change.movesExpiry || (change.rotation && this.expiry !== undefined)) this.#moveExpiry()
  }

  /** Has this request done something to `key` already? */
  hasTouched(key: string): boolean {
    return this.changes.some((change) => change.key === key || change.key === ALL_KEYS)
  }

  /** A new cookie, or one that lasts longer, can still go out. */
  get cookieCanBeSent(): boolean {
    return PHASES[this.phase].cookieCanBeSent
  }

  get isWritable(): boolean {
    return PHASES[this.phase].mayChange || (this.#inSave && !this.stored?.inCookie)
  }

  /** Every mutator passes here. */
  assertWritable(): void {
    if (!this.isWritable) throw this.#tooLate()
    if (this.isDestroyed) this.assertNewCookie()
  }

  /** Passes if a change that needs a new cookie can still have one. */
  assertNewCookie(): void {
    if (this.phase === 'open') return
    throw committed('This change needs a new cookie: make it before the handler returns.')
  }

  /** Passes unless storing what was done would need a cookie that can no longer be sent. */
  assertCookieCanFollow(): void {
    if (this.cookieCanBeSent) return
    const { life } = this
    const isNew = life.is === 'fresh' || life.is === 'replacing'
    if (isNew || this.rotation || this.stored?.inCookie) throw this.#tooLate()
  }

  /** Can the session be stored now? */
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

  destroy(): void {
    if (this.isDestroyed) return
    this.assertWritable()
    this.life = destroyed(this.life)
    this.changes = []
    this.content = emptyContent(this.content.name, this.content.createdAt)
  }

  /**
   * Hands over what is to be written, one write after the other. If `store` fails, everything is still to be done, unless
   * the handler has ended the session meanwhile. If it succeeds it has called `completeWrite`.
   */
  write<T>(store: (write: Write) => Promise<T>): Promise<T> {
    this.#writes ??= new Turns()
    return this.#writes.run(async () => {
      const write = this.#beginWrite()
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

  #beginWrite(): Write {
    const { life, changes, content } = this
    if (life.is !== 'fresh' && life.is !== 'stored') throw sessionGone()
    const rotation = life.is === 'stored' ? this.rotation : undefined
    this.changes = []
    this.#write = { life, changes, rotation, content }
    return this.#write
  }

  /** It is stored, as `content`, at the given attempt: what was changed meanwhile goes on top. */
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

  /** When it ends: what is stored, unless a change that is not stored yet has moved it. */
  #showExpiry(expiry: number | null): void {
    this.expiry = expiry
    if (moveExpiry(this.changes)) this.#moveExpiry()
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

  /** The store has no record any more; what began in its place stays. */
  recordRemoved(): void {
    this.life = withoutRecord(this.life)
  }

  /** Forgets what was not stored. */
  discard(): void {
    const { life, content } = this
    this.changes = []
    if (life.is === 'replacing') this.life = { is: 'ending', stored: life.stored }
    const before = life.is === 'stored' ? decodeBody(life.stored.record) : undefined
    this.content = before ?? emptyContent(content.name, content.createdAt)
    this.expiry =
      life.is === 'stored'
        ? cappedExpiry(life.stored.record.expiry, this.content, this.lifetime)
        : undefined
  }

  /** Takes back a sign-in that is not stored yet; everything else that was done stays. */
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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function asyncChange(result: PromiseLike<unknown>): TypeError {
  // It goes on without us; what becomes of it is in the error that is thrown here.
  result.then(undefined, () => {})
  return new TypeError(
    'save(change) takes a function that returns nothing, not a promise: do what has to be awaited first, then call save. Nothing was stored.',
  )
}
