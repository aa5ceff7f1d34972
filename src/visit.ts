import type { Context } from 'hono'
import { AMBIGUOUS, isLoopback, type SessionCookie } from './cookie.js'
import { SessionError, storeFailed } from './errors.js'
import type { Lifetime } from './lifetime.js'
import { personalize } from './response.js'
import { Session, stateOf } from './session.js'
import type { SessionEvent } from './session-event.js'
import type { SessionState, Status } from './session-state.js'
import type { SessionStore } from './session-store.js'
import type { Signer } from './signature.js'
import { type StoreOption, storeOfRequest } from './store-of-request.js'
import { warnOnce } from './warn-once.js'

/** The middleware's options, checked. */
export interface Settings {
  readonly name: string
  readonly store: StoreOption
  readonly cookie: SessionCookie
  /** Signs the cookie's value, if it is to be signed. */
  readonly signer: Signer | ((c: Context) => Signer) | undefined
  readonly lifetime: Lifetime
  readonly saveOnError: boolean
  readonly onEvent: ((event: SessionEvent, c: Context) => void) | undefined
}

/** What a store that does not say otherwise may have issued. */
const DEFAULT_SHAPE = /^[\w.-]{1,4096}$/

/** What a cookie's value says, and whether by the newest secret. */
type Verified = { value: string; isCurrent: boolean } | undefined

/** One request's dealings with its session: load, hand to the handler, settle. */
export class Visit {
  readonly #c: Context
  readonly #settings: Settings
  #session!: Session
  #store: SessionStore | undefined
  #signer: Signer | undefined
  /** The request carried something under our name, be it a session or not. */
  #cameWithCookie = false
  /** The session's cookie value as the browser has it, or is to have it: signed, if values are signed. */
  #value: string | undefined
  /** The browser has to be told: a new value, or a new expiry. */
  #sendsCookie = false
  #saves: Promise<void> | undefined

  constructor(c: Context, settings: Settings) {
    this.#c = c
    this.#settings = settings
  }

  get #state(): SessionState {
    return stateOf(this.#session)
  }

  /** The visitor's session, or a new one. An error means that the store failed: nothing is written, no cookie sent. */
  begin(): Session | Promise<Session> {
    const header = this.#c.req.raw.headers.get('Cookie')
    return header === null ? this.#manage(new Session()) : this.#load(header)
  }

  async #load(header: string): Promise<Session> {
    const carried = this.#settings.cookie.read(header, this.#c.req.url)
    if (carried === undefined) return this.#manage(new Session())
    this.#cameWithCookie = true
    if (carried === AMBIGUOUS) return this.#reject('duplicate')
    const signed = await this.#verify(carried)
    if (!signed) return this.#reject('signature')
    const { value } = signed
    const store = await storeOfRequest(this.#settings.store, this.#c)
    this.#store = store
    const wellFormed = store.isWellFormed ? store.isWellFormed(value) : DEFAULT_SHAPE.test(value)
    if (!wellFormed) return this.#reject('malformed')
    let session: Session | undefined
    try {
      session = await store.loadSession(value)
    } catch (error) {
      throw storeFailed('load a session', error)
    }
    // Two middlewares may share a store, but not each other's sessions.
    if (!session || stateOf(session).content.name !== this.#settings.name) {
      return this.#reject('unknown')
    }
    this.#manage(session)
    // A shorter absolute timeout than when it was stored holds at once.
    if (this.#state.isExpired(Date.now())) return this.#reject('unknown')
    this.#value = signed.isCurrent ? carried : await this.#sign(value)
    this.#sendsCookie = !signed.isCurrent
    return session
  }

  /** The value that was signed; as it is, if values are not signed. Nothing is computed for one that no cookie can hold. */
  #verify(carried: string): Verified | Promise<Verified> {
    const signer = this.#openSigner()
    if (!signer) return { value: carried, isCurrent: true }
    return DEFAULT_SHAPE.test(carried) ? signer.verify(carried, this.#cookieName) : undefined
  }

  #sign(value: string): string | Promise<string> {
    const signer = this.#openSigner()
    return signer ? signer.sign(value, this.#cookieName) : value
  }

  #openSigner(): Signer | undefined {
    const { signer } = this.#settings
    this.#signer ??= typeof signer === 'function' ? signer(this.#c) : signer
    return this.#signer
  }

  get #cookieName(): string {
    return this.#settings.cookie.nameFor(this.#c.req.url)
  }

  #manage(session: Session): Session {
    const { name, lifetime } = this.#settings
    stateOf(session).manage(name, lifetime, () => this.#save())
    this.#session = session
    return session
  }

  /** The handler is done: stores what is to be stored, and tells the browser in whatever response goes out. */
  async settle(): Promise<void> {
    const c = this.#c
    const failed = c.error !== undefined && c.res.status >= 500
    try {
      if (this.#saves) await this.#saves
      if (this.#hasToWrite(failed && !this.#settings.saveOnError)) await this.#writeAtEnd()
    } catch (error) {
      // Nothing of a response that reports as done what was not kept. Hono's onError puts its own in place.
      c.res = undefined
      c.res = new Response(null)
      throw error
    } finally {
      this.#state.phase = 'settled'
      this.#dress()
    }
  }

  /** Something that is no Error was thrown, so there will be no response: of this request only `destroy` takes effect. */
  async abandon(): Promise<void> {
    if (this.#saves) await this.#saves
    if (this.#hasToWrite(true)) await this.#writeAtEnd()
    this.#state.phase = 'settled'
  }

  /** Of a request that failed nothing is stored, not even that there was one; but what it has ended is over. */
  #hasToWrite(failed: boolean): boolean {
    const state = this.#state
    state.phase = 'settling'
    if (failed) state.discard()
    return failed ? state.ending : state.status(Date.now()) !== 'unchanged'
  }

  async #writeAtEnd(): Promise<void> {
    try {
      await this.#keepAlive(this.#write())
    } catch (error) {
      if (!(error instanceof SessionError && error.code === 'SESSION_GONE')) throw error
      // It ended while this request was running. That is nothing the client did wrong.
      const state = this.#state
      if (state.stored) this.#emit({ type: 'gone', id: state.stored.id })
      this.#sendsCookie = false
      state.discard()
    }
  }

  /** `session.save()`: one after the other, should the handler not wait. */
  #save(): Promise<void> {
    const work = (this.#saves ?? Promise.resolve()).then(() => this.#write())
    this.#saves = work.catch(() => {})
    return this.#keepAlive(work)
  }

  async #write(): Promise<void> {
    const state = this.#state
    if (state.status(Date.now()) === 'unchanged') return
    this.#store ??= await storeOfRequest(this.#settings.store, this.#c)
    const store = this.#store
    if (state.ending) await this.#end(store, state)
    const status = state.status(Date.now())
    if (status !== 'unchanged') await this.#keep(store, state, status)
  }

  async #end(store: SessionStore, state: SessionState): Promise<void> {
    const id = state.stored?.id
    try {
      await store.destroySession(this.#session)
    } catch (error) {
      throw storeFailed('destroy a session', error)
    }
    state.buried()
    this.#value = undefined
    this.#sendsCookie = false
    if (id) this.#emit({ type: 'destroyed', id })
  }

  async #keep(store: SessionStore, state: SessionState, status: Status): Promise<void> {
    const before = state.stored?.record
    const isRotated = state.rotation !== undefined
    this.#openSigner() // secrets that are missing are an error before anything is stored
    let issued: string | undefined
    try {
      issued = await store.storeSession(this.#session)
    } catch (error) {
      throw storeFailed('store a session', error)
    }
    if (issued !== undefined && state.phase === 'settled') throw cookieTooLate()
    const value = issued === undefined ? this.#value : await this.#sign(issued)
    const { id, stored, attempts } = state
    const moved = status === 'extended' || before?.expiry !== stored?.record.expiry
    if (value !== undefined && (issued !== undefined || moved)) {
      this.#line(value) // too large for a cookie? Then say so now
      this.#sendsCookie = true
    }
    this.#value = value
    if (!id) return
    if (!before) this.#emit({ type: 'created', id })
    else if (isRotated) this.#emit({ type: 'regenerated', id })
    if (attempts > 1) this.#emit({ type: 'conflict', id, attempts })
  }

  /** Writes what the response has to say about the session. */
  #dress(): void {
    const line = this.#setCookie()
    if (line !== undefined || this.#state.looked) personalize(this.#c, line)
  }

  #setCookie(): string | undefined {
    const { destroyed, ending } = this.#state
    if (destroyed) {
      const isDead = this.#cameWithCookie && !ending
      return isDead ? this.#settings.cookie.remove(this.#c.req.url) : undefined
    }
    // One that has expired by now is not worth a cookie.
    const lives = this.#sendsCookie && !this.#state.isExpired(Date.now())
    return lives && this.#value !== undefined ? this.#line(this.#value) : undefined
  }

  #line(value: string): string {
    const { cookie } = this.#settings
    const { url } = this.#c.req
    const { expiry = null } = this.#state
    if (url.startsWith('http:') && cookie.isSecure(url) && !isLoopback(url))
      warnOnce(INSECURE_WARNING)
    const left = expiry === null ? null : Math.max(0, Math.ceil((expiry - Date.now()) / 1000))
    return cookie.write(value, left, url)
  }

  /** What the request carried is no session of ours, so there is a new one. */
  #reject(reason: 'malformed' | 'signature' | 'duplicate' | 'unknown'): Session {
    this.#emit({ type: 'rejected', reason })
    return this.#manage(new Session())
  }

  /** An observer that fails must not fail the request. */
  #emit(event: SessionEvent): void {
    try {
      const result: unknown = this.#settings.onEvent?.(event, this.#c)
      if (result instanceof Promise) result.catch(() => {})
    } catch {}
  }

  /** A client that leaves must not cancel a write that is under way. */
  #keepAlive(work: Promise<void>): Promise<void> {
    try {
      this.#c.executionCtx.waitUntil(work.catch(() => {}))
    } catch {
      // No execution context outside of Workers: there nothing cancels it.
    }
    return work
  }
}

const INSECURE_WARNING =
  'isolate-session: this request came over plain http to a host that is not loopback, so the browser will drop the Secure session cookie. ' +
  'Use https. With `wrangler dev` and routes, start it as `wrangler dev --host localhost`.'

function cookieTooLate(): SessionError {
  return new SessionError(
    'SESSION_COMMITTED',
    'The response is settled, and this change is in a cookie that can no longer be sent. Make it before the handler returns, or use a store that keeps records.',
  )
}
