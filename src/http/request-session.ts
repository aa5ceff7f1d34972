import type { Signer } from '../crypto/signature.js'
import { SessionError, sessionGone, storeFailed } from '../errors.js'
import { Session, stateOf } from '../session/session.js'
import type { Manager, SessionState, Status, StoredRecord } from '../session/session-state.js'
import { DOES_NO_IO, type SessionStore } from '../storage/session-store.js'
import { AMBIGUOUS, isLoopback } from './cookie.js'
import type { Exchange } from './exchange.js'
import { type CookieLine, isStreamed } from './response.js'
import type { SessionEvent } from './session-event.js'
import type { Settings } from './settings.js'
import { storeOfRequest } from './store-of-request.js'
import { warnOnce } from './warn-once.js'

/** What a store that does not say otherwise may have issued. */
const DEFAULT_SHAPE = /^[\w.-]{1,4096}$/

/** What a cookie's value says, and whether by the newest secret. */
type Verified = { value: string; isCurrent: boolean } | undefined

/** Why a cookie is no session here. The first two can never become one, so the browser may forget it. */
type Rejection = 'malformed' | 'signature' | 'duplicate' | 'unknown'

/** What the browser has to be told about the cookie. `isWeak`: see `CookieLine`. */
type Outgoing =
  | { readonly tell: 'nothing' }
  | { readonly tell: 'forget'; readonly isWeak: boolean }
  | { readonly tell: 'keep'; readonly value: string; readonly isWeak: boolean }

const NOTHING: Outgoing = { tell: 'nothing' }

/** How the handler ended. */
export interface Outcome {
  /** Nothing it did is stored, but for what it ended. */
  readonly hasFailed: boolean
  /** It threw a 401 or 403: nobody was signed in. */
  readonly isRefused: boolean
}

/** The session of one request: loaded before the handler, committed after it. */
export class RequestSession<Context = unknown> implements Manager {
  readonly #exchange: Exchange<Context>
  readonly settings: Settings<Context>
  #session!: Session
  #store: SessionStore | undefined
  #signer: Signer | undefined
  /** The request carried something under our name, whether or not it was a session. */
  #cameWithCookie = false
  /** The cookie's value for this session, signed if values are signed. */
  #value: string | undefined
  /** The id of the session whose cookie the browser has. */
  #clientId: string | undefined
  /** Whether that cookie outlives the browser, if the session itself says so. */
  #isPersistent: boolean | null = null
  #outgoing: Outgoing = NOTHING
  #saves: Promise<void> | undefined

  constructor(exchange: Exchange<Context>, settings: Settings<Context>) {
    this.#exchange = exchange
    this.settings = settings
  }

  /** What `c.var.session` is. When loading failed it is an empty one that cannot be changed. */
  get session(): Session {
    return this.#session
  }

  get #state(): SessionState {
    return stateOf(this.#session)
  }

  get #url(): string {
    return this.#exchange.request.url
  }

  /** Loads the visitor's session, or begins a new one. An error means that the store failed: nothing is written or sent. */
  load(): void | Promise<void> {
    const header = this.#exchange.request.headers.get('Cookie')
    const value = header === null ? undefined : this.settings.cookie.read(header, this.#url)
    if (value !== undefined) return this.#load(value)
    this.#attach(new Session())
  }

  async #load(rawValue: string | typeof AMBIGUOUS): Promise<void> {
    this.#cameWithCookie = true
    this.#exchange.watch()
    try {
      const rejection = rawValue === AMBIGUOUS ? 'duplicate' : await this.#loadSession(rawValue)
      if (rejection) this.#reject(rejection)
      // Due already, whether or not the handler looks.
      else if (this.#state.status(Date.now()) !== 'unchanged') this.#exchange.noteOuter()
    } catch (error) {
      this.#attach(new Session())
      this.#state.phase = 'unloaded'
      throw error
    }
  }

  async #loadSession(rawValue: string): Promise<Rejection | undefined> {
    const checked = this.#verify(rawValue)
    const verified = checked instanceof Promise ? await checked : checked
    if (!verified) return 'signature'
    const { value, isCurrent } = verified
    const opened = storeOfRequest(this.settings.store, this.#exchange)
    this.#store = opened instanceof Promise ? await opened : opened
    let session: unknown
    try {
      if (!this.#isWellFormed(value)) return 'malformed'
      session = await this.#store.loadSession(value)
    } catch (error) {
      throw storeFailed('load a session', error)
    }
    if (session === undefined) return 'unknown'
    if (!(session instanceof Session) || stateOf(session).isManaged) throw noSession()
    // Two middlewares may share a store, but not each other's sessions.
    if (stateOf(session).content.name !== this.settings.name) return 'unknown'
    this.#attach(session)
    // A shorter absolute timeout than when it was stored holds at once.
    if (this.#state.isExpired(Date.now())) return 'unknown'
    this.#clientId = this.#state.stored?.id
    this.#isPersistent = this.#state.content.persistent
    this.#value = isCurrent ? rawValue : await this.#sign(value)
    if (!isCurrent) this.#outgoing = { tell: 'keep', value: this.#value, isWeak: true }
    return undefined
  }

  #isWellFormed(value: string): boolean {
    const store = this.#store
    return store?.isWellFormed ? store.isWellFormed(value) : DEFAULT_SHAPE.test(value)
  }

  /** The value that was signed; as it is, if values are not signed. Nothing is computed for one that no cookie can hold. */
  #verify(rawValue: string): Verified | Promise<Verified> {
    const signer = this.#openSigner()
    if (!signer) return { value: rawValue, isCurrent: true }
    return DEFAULT_SHAPE.test(rawValue) ? signer.verify(rawValue, this.#cookieName) : undefined
  }

  #sign(value: string): string | Promise<string> {
    const signer = this.#openSigner()
    return signer ? signer.sign(value, this.#cookieName) : value
  }

  #openSigner(): Signer | undefined {
    const { signer } = this.settings
    this.#signer ??= typeof signer === 'function' ? signer(this.#exchange.context) : signer
    return this.#signer
  }

  get #cookieName(): string {
    return this.settings.cookie.nameFor(this.#url)
  }

  #attach(session: Session): void {
    const { name, lifetime, schema } = this.settings
    stateOf(session).attach(name, lifetime, this, schema)
    this.#session = session
  }

  /** Ignores the request's cookie and starts a new session. */
  #reject(reason: Rejection): void {
    this.#emit({ type: 'rejected', reason })
    this.#attach(new Session())
    // One that this app can never accept would be carried, and rejected, until it expires.
    const isHopeless = reason === 'malformed' || reason === 'signature'
    if (isHopeless) this.#outgoing = { tell: 'forget', isWeak: true }
  }

  accessed(): void {
    if (this.#state.phase === 'settled' && !this.#exchange.isComing) warnOnce(LATE_LOOK_WARNING)
    else this.#exchange.mark()
  }

  takesFlashes(): boolean {
    const { method, headers } = this.#exchange.request
    const purpose = `${headers.get('Sec-Purpose') ?? ''} ${headers.get('Purpose') ?? ''}`
    return method !== 'HEAD' && !/\bprefetch\b/i.test(purpose)
  }

  /** The handler has ended: stores what is to be stored, and tells the browser in whatever response goes out. */
  async commit({ hasFailed, isRefused }: Outcome): Promise<void> {
    const state = this.#state
    state.phase = 'settling'
    try {
      if (this.#saves) await this.#saves
      if (isRefused) state.dropSignIn()
      const isDropped = hasFailed && !this.settings.saveOnError
      if (isDropped) state.discard()
      const status = state.status(Date.now())
      const isDue = isDropped ? status === 'destroyed' : status !== 'unchanged'
      if (isDue) await this.#flushAtEnd()
      const cookie = this.#cookieLine()
      if (cookie) this.#clientId = state.stored?.id
      this.#writeHeaders(cookie)
    } catch (error) {
      // Nothing of a response that reports as done what was not kept. what handles the error puts its own in place.
      this.#exchange.discard(this.#savedCookieLine())
      throw error
    } finally {
      state.clientHasCookie = this.#clientId !== undefined && this.#clientId === state.stored?.id
      state.phase = 'settled'
    }
  }

  async #flushAtEnd(): Promise<void> {
    try {
      await this.#keepAlive(this.#flush())
    } catch (error) {
      if (!isGone(error)) throw error
      // It ended while this request was running. That is nothing the client did wrong.
      const state = this.#state
      if (state.stored) this.#emit({ type: 'gone', ...described(state.stored) })
      this.#outgoing = NOTHING
      this.#clientId = undefined
      state.discard()
    }
  }

  /** `session.save()`: one after the other, should the handler not wait. */
  save(): Promise<void> {
    const work = (this.#saves ?? Promise.resolve()).then(() => this.#flush(true))
    this.#saves = work.catch(() => {})
    return this.#keepAlive(work)
  }

  /** `session.reload()`. */
  async reload(): Promise<void> {
    const state = this.#state
    state.assertSavable()
    if (!state.stored) return
    if (!this.#store) this.#store = await storeOfRequest(this.settings.store, this.#exchange)
    if (state.stored.inCookie || !this.#store.reloadSession) throw cannotReload()
    await this.#reloadSession(this.#store)
  }

  /** Stores pending changes. With `asks` and nothing to store, checks with the store that the session still exists. */
  async #flush(asks = false): Promise<void> {
    const state = this.#state
    const mayEnd = asks && state.life.is === 'stored'
    if (state.status(Date.now()) === 'unchanged' && !mayEnd) return
    state.assertCookieCanFollow()
    this.#store ??= await storeOfRequest(this.settings.store, this.#exchange)
    const store = this.#store
    if (state.life.is === 'ending' || state.life.is === 'replacing') {
      await this.#destroySession(store, state.life.stored)
    }
    // The handler may have gone on meanwhile.
    const status = state.status(Date.now())
    if (status === 'changed' || status === 'extended') await this.#storeSession(store, status)
    else if (mayEnd) await this.#reloadSession(store)
  }

  async #destroySession(store: SessionStore, stored: StoredRecord): Promise<void> {
    try {
      await store.destroySession(this.#session)
    } catch (error) {
      throw storeFailed('destroy a session', error)
    }
    this.#value = undefined
    this.#outgoing = this.#cameWithCookie ? { tell: 'forget', isWeak: false } : NOTHING
    this.#emit({ type: 'destroyed', ...described(stored) })
  }

  /** A store that cannot be asked, or a session that nobody but its cookie knows, is believed. */
  async #reloadSession(store: SessionStore): Promise<void> {
    if (this.#state.stored?.inCookie || !store.reloadSession) return
    let lives: boolean
    try {
      lives = await store.reloadSession(this.#session)
    } catch (error) {
      throw storeFailed('read a session', error)
    }
    // A shorter absolute timeout than when it was stored holds at once.
    if (!lives || this.#state.isExpired(Date.now())) throw sessionGone()
  }

  async #storeSession(store: SessionStore, status: Status): Promise<void> {
    const state = this.#state
    const { life } = state
    const before = life.is === 'stored' ? life.stored : undefined
    const mustRotate = before !== undefined && state.rotation !== undefined
    this.#openSigner() // secrets that are missing are an error before anything is stored
    let newValue: string | undefined
    try {
      newValue = await store.storeSession(this.#session)
    } catch (error) {
      // Ended by the handler before the store had begun, perhaps a store that does something else first.
      if (isGone(error) && state.life !== life && state.isDestroyed) return
      throw storeFailed('store a session', error)
    }
    const { stored } = state
    const isRotated = mustRotate || (before !== undefined && stored?.id !== before.id)
    if (stored) this.#emitStored(stored, before, isRotated)
    // Ended by the handler while it was being stored: its cookie is not for anybody.
    if (state.life.is !== 'stored' && state.life !== life) return
    const isDue = !before || isRotated
    if (isDue) this.#value = undefined
    if (newValue === undefined ? isDue : !this.#isIssued(newValue)) throw noValue()
    const hasMoved =
      status === 'extended' ||
      before?.record.expiry !== stored?.record.expiry ||
      state.content.persistent !== this.#isPersistent
    this.#isPersistent = state.content.persistent
    if (newValue !== undefined) this.#value = await this.#sign(newValue)
    if (this.#value === undefined || (newValue === undefined && !hasMoved)) return
    this.settings.cookie.assertFits(this.#value, this.#url)
    const isWeak = newValue === undefined || status === 'extended'
    const wasStrong = this.#outgoing.tell === 'keep' && !this.#outgoing.isWeak
    this.#outgoing = { tell: 'keep', value: this.#value, isWeak: isWeak && !wasStrong }
  }

  /** No store is believed: what goes into a header has to be of the shape that the store itself accepts. */
  #isIssued(value: unknown): boolean {
    return typeof value === 'string' && this.#isWellFormed(value)
  }

  #emitStored(stored: StoredRecord, before: StoredRecord | undefined, isRotated: boolean): void {
    const { attempts } = this.#state
    if (!before) this.#emit({ type: 'created', ...described(stored) })
    else if (isRotated)
      this.#emit({ type: 'regenerated', ...described(stored), previousId: before.id })
    if (attempts > 1) this.#emit({ type: 'conflict', id: stored.id, attempts })
  }

  #writeHeaders(cookie: CookieLine | undefined): void {
    const { response } = this.#exchange
    const { accessed, stored } = this.#state
    if (!response) {
      if (accessed || cookie) this.#exchange.markComing(cookie)
      return
    }
    // What is still being written may look at the session when the headers are gone.
    const isPersonal = accessed || (stored !== undefined && isStreamed(response))
    this.#exchange.finish(cookie, isPersonal)
  }

  /** What an earlier `save()` has stored is not undone by a failure after it, and without its cookie it would be lost. */
  #savedCookieLine(): CookieLine | undefined {
    const { life } = this.#state
    const isSaved = life.is === 'stored' || this.#outgoing.tell === 'forget'
    if (!this.#saves || !isSaved) return undefined
    const cookie = this.#cookieLine()
    if (cookie && life.is === 'stored') this.#clientId = life.stored.id
    return cookie
  }

  #cookieLine(): CookieLine | undefined {
    const { cookie } = this.settings
    const { life } = this.#state
    const outgoing = this.#outgoing
    if (life.is === 'ended' || outgoing.tell === 'forget') {
      if (!this.#cameWithCookie) return undefined
      const isWeak = life.is !== 'ended' && outgoing.tell === 'forget' && outgoing.isWeak
      return { line: cookie.remove(this.#url), isWeak }
    }
    // One that has expired by now is not worth a cookie.
    if (outgoing.tell === 'nothing' || this.#state.isExpired(Date.now())) return undefined
    return { line: this.#line(outgoing.value), isWeak: outgoing.isWeak }
  }

  #line(value: string): string {
    const { cookie } = this.settings
    const url = this.#url
    if (url.startsWith('http:') && cookie.isSecure(url) && !isLoopback(url))
      warnOnce(INSECURE_WARNING)
    if (!cookie.comesBackTo(url)) warnOnce(PATH_WARNING)
    const { expiry = null } = this.#state
    const left = expiry === null ? null : Math.max(0, Math.ceil((expiry - Date.now()) / 1000))
    return cookie.write(value, left, url, this.#state.content.persistent)
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
    const { store } = this.settings
    const known = this.#store ?? (typeof store === 'function' ? undefined : store)
    if (known?.[DOES_NO_IO]) return work
    this.#exchange.waitUntil(work.catch(() => {}))
    return work
  }
}

const INSECURE_WARNING =
  'isolate-session: this request came over plain http to a host that is not loopback, so the browser will drop the Secure session cookie. ' +
  'Use https. With `wrangler dev` and routes, start it as `wrangler dev --host localhost`; to reach it from a phone, as `wrangler dev --ip 0.0.0.0 --host localhost`.'

const PATH_WARNING =
  'isolate-session: a request outside of cookie.path stored a session. The browser will not send its cookie back there, so every such request starts another one. ' +
  'Mount session() on that path only, or widen cookie.path.'

const LATE_LOOK_WARNING =
  'isolate-session: the session was looked at for the first time after the response had its headers, so caches were not told that it depends on the visitor. ' +
  'In a stream, read what you need (`c.var.session.get(…)`) before you return the response.'

function described({ id, record }: StoredRecord): { id: string; owner: string | undefined } {
  return { id, owner: record.owner ?? undefined }
}

function isGone(error: unknown): boolean {
  return error instanceof SessionError && error.code === 'SESSION_GONE'
}

function cannotReload(): SessionError {
  return new SessionError(
    'UNSUPPORTED',
    'This session cannot be read again: it is kept in its cookie, or its store has no reloadSession(). Use a store that keeps records and extends KeyedStore.',
  )
}

function noSession(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The session store gave something from loadSession() that is no session of its own, or the session of another request. Extend KeyedStore, or check that isolate-session is installed only once.',
  )
}

function noValue(): SessionError {
  return new SessionError(
    'STORE_FAILED',
    'The session store gave no usable cookie value from storeSession() for a new or rotated session, so no cookie was sent. Extend KeyedStore, and run the store through storeContract().',
  )
}
