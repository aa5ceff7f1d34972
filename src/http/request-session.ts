// One request, in the order in which things happen: load, the handler, commit. incoming.ts makes a session of its cookie,
// outgoing.ts a cookie of its session. Nothing here knows a framework.

import type { Signer } from '../crypto/signature.ts'
import { SessionError, sessionGone, storeFailed } from '../errors.ts'
import type { StoredRecord } from '../session/life.ts'
import { type AnySession, Session, stateOf } from '../session/session.ts'
import type { Manager, SessionState, Status } from '../session/session-state.ts'
import { Turns } from '../session/turns.ts'
import type { SessionStore } from '../storage/session-store.ts'
import { AMBIGUOUS, type FoundCookie } from './cookie.ts'
import type { Exchange } from './exchange.ts'
import { identify, isWellFormed, type Opener, type Rejection } from './incoming.ts'
import { cookieLineFor, FORGET, keep, type Outgoing } from './outgoing.ts'
import { type CookieLine, isStreamed } from './response.ts'
import type { SessionEvent } from './session-event.ts'
import type { Settings } from './settings.ts'
import { storeOfRequest } from './store-of-request.ts'
import { warnOnce } from './warn-once.ts'

/** How the handler ended. */
export interface Outcome {
  /** Nothing that the handler did is stored, except for a `destroy()`. */
  readonly hasFailed: boolean
  /** It threw a 401 or 403, so a sign-in of this request does not count. */
  readonly isRefused: boolean
}

/**
 * The session of one request: loaded before the handler, committed after it.
 *
 * It stands between three others and does the work of none: the exchange is the framework, the store keeps records, the state
 * knows what the handler did. A store that fails is always an error. If it were not, a visitor would be taken for a stranger,
 * and an app that answers strangers politely would never notice.
 */
export class RequestSession<Context = unknown> implements Manager, Opener {
  readonly #exchange: Exchange<Context>
  readonly settings: Settings<Context>
  /** `c.var.session`. If loading failed, an empty one that cannot be changed. */
  session!: AnySession
  #state!: SessionState
  #store: SessionStore | Promise<SessionStore> | undefined
  #signer: Signer | undefined
  /** The request carried something under our name, whether or not it was a session. */
  #cameWithCookie = false
  /** The cookie's value for this session, signed if values are signed. */
  #value: string | undefined
  /** The id of the session whose cookie the browser has. */
  #clientId: string | undefined
  /** Whether that cookie outlives the browser, if the session itself says so. */
  #isPersistent: boolean | null = null
  #outgoing: Outgoing | undefined
  /** Set once the handler has called `save()`: its saves, one after the other. */
  #saves: Turns | undefined

  constructor(exchange: Exchange<Context>, settings: Settings<Context>) {
    this.#exchange = exchange
    this.settings = settings
  }

  /** Loads the visitor's session, or begins a new one. An error means that the store failed: nothing is written or sent. */
  load(): void | Promise<void> {
    const { request } = this.#exchange
    const header = request.headers.get('Cookie')
    const value = header === null ? undefined : this.settings.cookie.read(header, request.url)
    if (value !== undefined) return this.#load(value)
    this.#attach(new Session())
  }

  /** There is a cookie under our name. If the store fails, the session that the app's error handler sees is an empty one. */
  async #load(rawValue: NonNullable<FoundCookie>): Promise<void> {
    this.#cameWithCookie = true
    this.#exchange.watch()
    if (rawValue === AMBIGUOUS) return this.#reject('duplicate')
    try {
      const incoming = await identify(rawValue, this)
      if (incoming.is === 'rejected') return this.#reject(incoming.reason)
      const { session, state } = incoming
      this.#attach(session, state)
      const now = Date.now()
      // The app may have a shorter absolute timeout than when this was stored. It applies at once.
      if (state.isExpired(now)) return this.#reject('unknown')
      this.#clientId = state.life.stored?.id
      this.#isPersistent = state.content.persistent
      this.#value = rawValue
      if (!incoming.isCurrent) {
        this.#value = await this.#sign(incoming.value)
        this.#outgoing = keep(this.#value, true, undefined)
      }
      // An extension is due, whether or not the handler looks at the session.
      if (state.status(now) !== 'unchanged') this.changing()
    } catch (error) {
      this.#attach(new Session())
      this.#state.phase = 'unloaded'
      throw error
    }
  }

  /** Over plain http on loopback it has no prefix, because there the cookie is not Secure. Signatures are bound to the name. */
  get cookieName(): string {
    return this.settings.cookie.nameFor(this.#exchange.request.url)
  }

  /** Secrets may come from a function of the request, which is called once, and only where a value is signed or checked. */
  openSigner(): Signer | undefined {
    const { signer } = this.settings
    this.#signer ??= typeof signer === 'function' ? signer(this.#exchange.context) : signer
    return this.#signer
  }

  /** The store of this request. Not a promise if there is nothing to wait for, which saves a turn of the event loop. */
  openStore(): SessionStore | Promise<SessionStore> {
    this.#store ??= storeOfRequest(this.settings.store, this.#exchange)
    return this.#store
  }

  #sign(value: string): string | Promise<string> {
    const signer = this.openSigner()
    return signer ? signer.sign(value, this.cookieName) : value
  }

  /** From here on this is the request's session: it gets the app's timeouts, and its `save()` ends up here. */
  #attach(session: AnySession, state: SessionState = stateOf(session)): void {
    const { name, lifetime, schema } = this.settings
    this.session = session
    this.#state = state
    state.attach(name, lifetime, this, schema)
  }

  /** Ignores the request's cookie and starts a new session. */
  #reject(reason: Rejection): void {
    this.#emit({ type: 'rejected', reason })
    this.#attach(new Session())
    // The browser would send a cookie that this app can never accept until it expires. Better to remove it now.
    const isHopeless = reason === 'malformed' || reason === 'signature'
    if (isHopeless) this.#outgoing = { tell: 'forget', isWeak: true }
  }

  /** Also for somebody without a session: a page that says "not signed in" must not be cached for those who are. */
  accessed(): void {
    if (this.#state.phase === 'settled' && !this.#exchange.isComing) warnOnce(LATE_LOOK_WARNING)
    else this.#exchange.mark()
  }

  /** If the store fails later, what middleware outside of ours has set goes out, and nothing of the handler's. */
  changing(): void {
    this.#exchange.noteOuter()
  }

  /**
   * Browsers fetch pages ahead that nobody may ever open (`Sec-Purpose: prefetch`; `Purpose` is older). If that took the flash,
   * the page that is opened would show nothing.
   */
  takesFlashes(): boolean {
    const { method, headers } = this.#exchange.request
    const purpose = `${headers.get('Sec-Purpose') ?? ''} ${headers.get('Purpose') ?? ''}`
    return method !== 'HEAD' && !/\bprefetch\b/i.test(purpose)
  }

  /**
   * The handler has ended: stores what it did, and puts the cookie on whatever response goes out.
   *
   * Returns no promise if nobody has looked at the session and the browser has nothing to forget. On most sites that is most
   * requests, and a promise would be most of what such a request costs.
   */
  commit(outcome: Outcome): void | Promise<void> {
    const state = this.#state
    const isUntouched = !state.accessed && state.life.is === 'fresh' && !this.#outgoing
    if (!isUntouched || this.#saves) return this.#commit(outcome)
    state.phase = 'settled'
  }

  /**
   * Drops whatever does not count, stores the rest, and only then writes the cookie: a visitor never holds a
   * cookie of something that was not stored.
   */
  async #commit({ hasFailed, isRefused }: Outcome): Promise<void> {
    const state = this.#state
    state.phase = 'settling'
    try {
      if (this.#saves) await this.#saves.idle()
      if (isRefused) state.dropSignIn()
      const isDropped = hasFailed && !this.settings.saveOnError
      if (isDropped) state.discard()
      const status = state.status(Date.now())
      const isDue = isDropped ? status === 'destroyed' : status !== 'unchanged'
      if (isDue) await this.#flushAtEnd()
      const cookie = this.#cookieLine()
      if (cookie) this.#clientId = state.life.stored?.id
      this.#writeHeaders(cookie)
    } catch (error) {
      // The handler's response may say that something was done which was not kept, so none of it goes out. The app's error
      // handler answers instead.
      this.#exchange.discard(this.#savedCookieLine())
      throw error
    } finally {
      const { stored } = state.life
      state.clientHasCookie = stored !== undefined && this.#clientId === stored.id
      state.phase = 'settled'
    }
  }

  /** As `save()`, but for one case: where `save()` would throw `SESSION_GONE`, nobody is left who could catch it. */
  async #flushAtEnd(): Promise<void> {
    try {
      await this.#keepAlive(this.#flush(false))
    } catch (error) {
      if (!isGone(error)) throw error
      // Another request has ended the session while this one was running. The client did nothing wrong, so it is no error.
      const state = this.#state
      if (state.stored) this.#emit({ type: 'gone', ...described(state.stored) })
      this.#outgoing = undefined
      this.#clientId = undefined
      state.discard()
    }
  }

  /** `session.save()`. If the handler does not wait for one before it calls the next, they still run in order. */
  save(): Promise<void> {
    this.#saves ??= new Turns()
    return this.#keepAlive(
      this.#saves.run(async () => {
        const { life } = this.#state
        const isDue = life.is === 'stored' || this.#state.status(Date.now()) !== 'unchanged'
        if (isDue) await this.#flush(true)
      }),
    )
  }

  /** A late `save()` that nobody waits for would be refused in silence: the response has gone out. */
  refused(error: unknown): void {
    const isCommitted = error instanceof SessionError && error.code === 'SESSION_COMMITTED'
    if (isCommitted) warnOnce(`isolate-session: save() was refused. ${error.message}`)
  }

  /** `session.reload()`. */
  async reload(): Promise<void> {
    const state = this.#state
    state.assertSavable()
    if (!state.stored) return
    const store = await this.openStore()
    if (state.stored.inCookie || !store.reloadSession) throw cannotReload()
    await this.#reloadSession(store)
  }

  /** Stores what is pending. If nothing is, and `asks` is set, checks with the store that the session still exists. */
  async #flush(asks: boolean): Promise<void> {
    const state = this.#state
    const mayEnd = asks && state.life.is === 'stored'
    state.assertCookieCanFollow()
    const store = await this.openStore()
    if (state.life.is === 'ending' || state.life.is === 'replacing') {
      await this.#destroySession(store, state.life.stored)
    }
    // The handler may have changed the session while its old record was being removed.
    const status = state.status(Date.now())
    if (status === 'changed' || status === 'extended') await this.#storeSession(store, status)
    else if (mayEnd) await this.#reloadSession(store)
  }

  /** The cookie is taken back once the record is gone. The other way round, a failing store would leave a session behind. */
  async #destroySession(store: SessionStore, stored: StoredRecord): Promise<void> {
    try {
      await store.destroySession(this.session)
    } catch (error) {
      throw storeFailed('destroy a session', error)
    }
    this.#value = undefined
    this.#outgoing = this.#removal
    this.#emit({ type: 'destroyed', ...described(stored) })
  }

  /**
   * Throws if the session has ended. Without anybody to ask (a store without `reloadSession`, a sealed cookie) it counts as
   * live.
   */
  async #reloadSession(store: SessionStore): Promise<void> {
    if (this.#state.stored?.inCookie || !store.reloadSession) return
    let lives: boolean
    try {
      lives = await store.reloadSession(this.session)
    } catch (error) {
      throw storeFailed('read a session', error)
    }
    // The app may have a shorter absolute timeout than when this was stored. It applies at once.
    if (!lives || this.#state.isExpired(Date.now())) throw sessionGone()
  }

  /**
   * One call of the store, and what it means for the cookie. A store is other people's code as well, so what it gives is not
   * believed: a rotation without a new value, or a value that it would not accept itself, is an error and sends no cookie.
   */
  async #storeSession(store: SessionStore, status: Status): Promise<void> {
    const state = this.#state
    const { life } = state
    const before = life.is === 'stored' ? life.stored : undefined
    const mustRotate = before !== undefined && state.rotation !== undefined
    if (this.settings.signer) this.openSigner() // secrets that are missing are an error before anything is stored
    let newValue: string | undefined
    try {
      newValue = await store.storeSession(this.session)
    } catch (error) {
      // The handler ended the session before the store got to it; a store may do something else first.
      if (isGone(error) && state.life !== life && state.isDestroyed) return
      throw storeFailed('store a session', error)
    }
    const { stored } = state.life
    const isRotated = mustRotate || (before !== undefined && stored?.id !== before.id)
    if (stored) this.#emitStored(stored, before, isRotated)
    // The handler ended the session while it was being stored. Its new cookie must not go out.
    if (state.life.is !== 'stored' && state.life !== life) return
    const isDue = !before || isRotated
    if (isDue) this.#value = undefined
    if (newValue === undefined ? isDue : !isIssued(store, newValue)) throw noValue()
    const hasMoved =
      status === 'extended' ||
      before?.record.expiry !== stored?.record.expiry ||
      state.content.persistent !== this.#isPersistent
    this.#isPersistent = state.content.persistent
    if (newValue !== undefined) this.#value = await this.#sign(newValue)
    if (this.#value === undefined || (newValue === undefined && !hasMoved)) return
    this.settings.cookie.assertFits(this.#value, this.#exchange.request.url)
    const isWeak = newValue === undefined || status === 'extended'
    this.#outgoing = keep(this.#value, isWeak, this.#outgoing)
  }

  /** Told when it is stored, and not before. What the handler does after a `save()` may still fail. */
  #emitStored(stored: StoredRecord, before: StoredRecord | undefined, isRotated: boolean): void {
    const { attempts } = this.#state
    if (!before) this.#emit({ type: 'created', ...described(stored) })
    else if (isRotated)
      this.#emit({ type: 'regenerated', ...described(stored), previousId: before.id })
    if (attempts > 1) this.#emit({ type: 'conflict', id: stored.id, attempts })
  }

  /** A session that exists but was not looked at leaves no trace: the response is the same for everybody, and may be cached. */
  #writeHeaders(cookie: CookieLine | undefined): void {
    const exchange = this.#exchange
    const { response } = exchange
    const { accessed, life } = this.#state
    // A stream may look at the session later, when the headers can no longer say so. So they say it now.
    const isPersonal = accessed || cookie || (life.stored && response && isStreamed(response))
    if (!isPersonal) return
    if (response) exchange.finish(response, cookie)
    else exchange.markComing(cookie)
  }

  /**
   * The cookie that goes out although the request failed. What an earlier `save()` has stored stays stored, and without its
   * cookie the visitor would lose it.
   */
  #savedCookieLine(): CookieLine | undefined {
    const { life } = this.#state
    const isSaved = life.is === 'stored' || this.#outgoing?.tell === 'forget'
    if (!this.#saves || !isSaved) return undefined
    const cookie = this.#cookieLine()
    if (cookie && life.is === 'stored') this.#clientId = life.stored.id
    return cookie
  }

  /** Asked once, at the end: earlier it is not known what the cookie has to say. */
  #cookieLine(): CookieLine | undefined {
    const state = this.#state
    const outgoing = state.life.is === 'ended' ? this.#removal : this.#outgoing
    if (!outgoing) return undefined
    return cookieLineFor(outgoing, state, this.settings.cookie, this.#exchange.request.url)
  }

  /** For a session that has ended: forget the cookie, if there was one. */
  get #removal(): Outgoing | undefined {
    return this.#cameWithCookie ? FORGET : undefined
  }

  /** An observer that fails must not fail the request. */
  #emit(event: SessionEvent): void {
    try {
      const result: unknown = this.settings.onEvent?.(event, this.#exchange.context)
      if (result instanceof Promise) result.catch(() => {})
    } catch {}
  }

  /** A client that leaves must not cancel a write that is under way. */
  #keepAlive(work: Promise<void>): Promise<void> {
    if (this.settings.mayBeCancelled) this.#exchange.waitUntil(work.catch(() => {}))
    return work
  }
}

const LATE_LOOK_WARNING =
  'isolate-session: the session was looked at for the first time after the response had its headers, so caches were not told that it depends on the visitor. ' +
  'In a stream, read what you need (`c.var.session.get(…)`) before you return the response.'

/** The part of an event that is about a session. */
function described({ id, record }: StoredRecord): { id: string; owner: string | undefined } {
  return { id, owner: record.owner ?? undefined }
}

/** Stores can have bugs. A value goes into a header only if the store itself would accept it again. */
function isIssued(store: SessionStore, value: unknown): boolean {
  return typeof value === 'string' && isWellFormed(store, value)
}

/** Did another request end the session? */
function isGone(error: unknown): boolean {
  return error instanceof SessionError && error.code === 'SESSION_GONE'
}

function cannotReload(): SessionError {
  return new SessionError(
    'UNSUPPORTED',
    'This session cannot be read again: it is kept in its cookie, or its store has no reloadSession(). Use a store that keeps records and extends KeyedStore.',
  )
}

function noValue(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The session store gave no usable cookie value from storeSession() for a new or rotated session, so no cookie was sent. Extend KeyedStore, and run the store through storeContract().',
  )
}
