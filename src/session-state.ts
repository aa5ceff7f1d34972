import { type Content, DEFAULT_NAME, emptyContent } from './content.js'
import { SessionError, sessionGone } from './errors.js'
import { cappedExpiry, freshExpiry, isExtensionDue, type Lifetime, UNLIMITED } from './lifetime.js'
import { decodeBody, isExpired, type SessionRecord } from './session-record.js'

/** What a store holds for a session: where, and as of which version. */
export interface Stored {
  readonly id: string
  readonly record: SessionRecord
}

/** One thing a handler did. It is applied at once, and again to the latest content if another request was faster. */
export interface Change {
  /** The key it is about; `ALL_KEYS` for every key, `NO_KEY` for none. */
  readonly key: string | symbol
  /** It moves the expiry, be it due or not. */
  readonly retimes?: boolean
  apply(content: Content): void
}

export const ALL_KEYS: symbol = Symbol('all keys')
export const NO_KEY: symbol = Symbol('no key')

/** What one call of `storeSession` has taken on; the handler may go on changing the session meanwhile. */
export interface Write {
  readonly changes: readonly Change[]
  readonly rotation: Rotation | undefined
  readonly content: Content
}

export type Rotation = 'regenerate' | 'signIn'

/** What a session has become, and so what is to be done about it. */
export type Status = 'unchanged' | 'extended' | 'changed' | 'destroyed'

/**
 * What a session was, what was done to it and what it is now.
 *
 * `Session` shows it to handlers, stores and the middleware work on it. No I/O, no Hono, no store.
 */
export class SessionState {
  content: Content
  stored: Stored | undefined
  expiry: number | null | undefined
  changes: Change[] = []
  rotation: Rotation | undefined
  dataChanged = false
  /** Nothing of it is left to see. */
  destroyed = false
  /** What is stored is to die: `destroy()` was called and no store was told yet. */
  ending = false
  /** The handler has looked, so the response may depend on who asks. */
  looked = false
  /** The handler runs; the response is being settled; it is settled; inside `save(change)` from then on. */
  phase: 'open' | 'settling' | 'settled' | 'late' = 'open'
  lifetime: Lifetime = UNLIMITED
  /** Stores the session now; there is one when a middleware manages it. */
  save: (() => Promise<void>) | undefined
  /** It was loaded in a form that is on its way out, and is to be stored anew. */
  isOutdated = false
  /** The write that is under way. */
  writing: Promise<string | undefined> | undefined
  /** How often the last write was tried. */
  attempts = 1

  constructor() {
    this.content = emptyContent(DEFAULT_NAME, Date.now())
  }

  /** Becomes what a store has loaded. */
  restore(stored: Stored, content: Content): void {
    this.stored = stored
    this.content = content
    this.expiry = stored.record.expiry
  }

  /** Comes under a middleware's name and timeouts. */
  manage(name: string, lifetime: Lifetime, save: () => Promise<void>): void {
    this.lifetime = lifetime
    this.save = save
    if (this.stored) this.expiry = cappedExpiry(this.stored.record.expiry, this.content, lifetime)
    else this.content.name = name
  }

  /** A new anonymous session begins where `destroy()` ended the stored one. */
  get isSuccessor(): boolean {
    return this.ending && !this.destroyed
  }

  get isNew(): boolean {
    return this.stored === undefined || this.isSuccessor
  }

  get id(): string | undefined {
    return this.isSuccessor ? undefined : this.stored?.id
  }

  isExpired(now: number): boolean {
    return this.expiry !== undefined && isExpired(this.expiry, now)
  }

  status(now: number): Status {
    if (this.destroyed) return this.ending ? 'destroyed' : 'unchanged'
    if (this.changes.length > 0 || this.rotation || this.ending) return 'changed'
    const { stored, expiry = null } = this
    const due = stored && (this.isOutdated || this.isExtensionDue(expiry, this.content, now))
    return due ? 'extended' : 'unchanged'
  }

  /** May and should `expiry` move now? */
  isExtensionDue(expiry: number | null, content: Content, now: number): boolean {
    // After the response is settled the cookie cannot follow, so the record does not run ahead of it.
    const cookieFollows = this.phase === 'open' || this.phase === 'settling'
    return cookieFollows && isExtensionDue(expiry, content, this.lifetime, now)
  }

  /** The expiry to store `content` with, in place of `stored` if there is one. Throws `SESSION_GONE` if it has passed. */
  expiryToStore(
    { changes, rotation }: Write,
    content: Content,
    stored: SessionRecord | undefined,
    now: number,
  ): number | null {
    const fresh = freshExpiry(content, this.lifetime, now)
    const before = stored ? cappedExpiry(stored.expiry, content, this.lifetime) : fresh
    // A sign-in stands even if the session it came from has ended: somebody has just authenticated.
    if (rotation !== 'signIn' && isExpired(before, now)) throw sessionGone()
    const moves = rotation !== undefined || changes.some((change) => change.retimes)
    return moves || this.isExtensionDue(before, content, now) ? fresh : before
  }

  /** Does it, and remembers it. */
  do(change: Change): void {
    this.assertWritable()
    change.apply(this.content)
    this.remember(change)
  }

  /** What was just done to `content`, to be done again if another request was faster. */
  remember(change: Change): void {
    if (this.destroyed) this.#succeed()
    this.changes.push(change)
    if (change.key !== NO_KEY) this.dataChanged = true
    if (change.retimes) this.expiry = freshExpiry(this.content, this.lifetime, Date.now())
  }

  /** The first change after `destroy()` begins a new session. */
  #succeed(): void {
    this.destroyed = false
    if (!this.ending) this.stored = undefined
    this.content.createdAt = Date.now()
    this.expiry = undefined
  }

  /** Has this request done something to `key` already? */
  hasTouched(key: string): boolean {
    return this.changes.some((change) => change.key === key || change.key === ALL_KEYS)
  }

  get isWritable(): boolean {
    return this.phase === 'open' || this.phase === 'late'
  }

  /** Every mutator passes here. */
  assertWritable(): void {
    if (!this.isWritable) throw committed('Use `await session.save((session) => …)` there.')
    if (this.destroyed) this.assertCookieCanBeSent()
  }

  /** Runs the change of `save(change)`, which may come after the response is settled. */
  apply(change: () => void): void {
    const { phase } = this
    if (phase !== 'open') {
      if (!this.stored)
        throw committed('Its cookie never went out: write before the handler returns.')
      this.phase = 'late'
    }
    try {
      change()
    } finally {
      this.phase = phase
    }
  }

  assertCookieCanBeSent(): void {
    if (this.phase !== 'open') {
      throw committed('This change needs a new cookie: make it before the handler returns.')
    }
  }

  destroy(): void {
    if (this.destroyed) return
    this.assertWritable()
    this.destroyed = true
    if (this.stored) this.ending = true
    this.forgetChanges()
    this.content = emptyContent(this.content.name, this.content.createdAt)
  }

  /** Hands over what is to be written. Ends in `complete` or `abort`. */
  begin(): Write {
    const { changes, rotation, content } = this
    this.changes = []
    this.rotation = undefined
    this.attempts = 1
    return { changes, rotation, content }
  }

  /** It is stored, as `content`: what was changed meanwhile goes on top. */
  complete(write: Write, stored: Stored, content: Content = write.content): void {
    this.stored = stored
    this.isOutdated = false
    if (this.ending) return
    this.expiry = stored.record.expiry
    if (content !== this.content) {
      for (const change of this.changes) change.apply(content)
      this.content = content
    }
    this.dataChanged = this.changes.length > 0
  }

  /** It is not stored: everything is still to be done. */
  abort(write: Write): void {
    if (this.ending) return
    this.changes = [...write.changes, ...this.changes]
    this.rotation ??= write.rotation
  }

  /** The stored session is dead; what began in its place stays. */
  buried(): void {
    if (!this.ending) return
    this.ending = false
    if (!this.destroyed) this.stored = undefined
  }

  /** Forgets what was not stored. */
  discard(): void {
    this.forgetChanges()
    if (this.isSuccessor) this.destroyed = true
    const before = this.stored && !this.destroyed && decodeBody(this.stored.record)
    this.content = before || emptyContent(this.content.name, this.content.createdAt)
    this.expiry =
      this.stored && cappedExpiry(this.stored.record.expiry, this.content, this.lifetime)
  }

  forgetChanges(): void {
    this.changes = []
    this.rotation = undefined
    this.dataChanged = false
  }
}

function committed(advice: string): SessionError {
  return new SessionError(
    'SESSION_COMMITTED',
    `The response is already settled, so this change to the session would be lost. ${advice}`,
  )
}
