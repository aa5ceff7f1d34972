// The session as a handler sees it. Each method checks its arguments and records one change in `SessionState`; none does I/O
// but `save` and `reload`, which hand over to the request. So a handler reads and writes without waiting, and cannot forget
// to save.

import { SessionError } from '../errors.ts'
import { ALL_KEYS, type Change, NO_KEY, type Rotation } from './change.ts'
import { checkKey, freezeJson, jsonCopy, mutableJson, sameJson } from './json-value.ts'
import type { StoredRecord } from './life.ts'
import { checkMethodOptions, checkPersistent } from './method-options.ts'
import { checkDevice, checkOwner } from './owner.ts'
import { ownProperty, type SessionContent, setOrDelete } from './session-content.ts'
import { SessionState } from './session-state.ts'

/** The same type with everything in it readonly, because `get` returns frozen values. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** A session with any data, as stores use it. */
// biome-ignore lint/suspicious/noExplicitAny: the shape of the data is the app's business
export type AnySession = Session<any>

/**
 * Gives stores and the middleware the private `#state` of a session. Only code inside of the class can read a private
 * field, so a static block of the class makes this function. Not exported by the package.
 */
export let stateOf: (session: AnySession) => SessionState

/** A session as a store has loaded it. `needsReissue`: its cookie was made with an older secret, so it is sent again. */
export let restored: (
  stored: StoredRecord,
  content: SessionContent,
  needsReissue?: boolean,
) => AnySession

/**
 * One visitor's session, as a handler works with it. Everything is synchronous but `save`.
 *
 * It remembers what was done, not only what came out, so that concurrent requests never lose each other's changes:
 * when another request was faster, the same changes are applied again to what that one stored.
 *
 * Changes are stored once, after the handler. Nothing is stored, and no cookie sent, for a session that was not changed.
 */
export class Session<Data extends object = Record<string, unknown>> {
  readonly #state: SessionState = new SessionState()

  static {
    stateOf = (session) => session.#state
    restored = (stored, content, needsReissue) => {
      const session = new Session()
      session.#state.restore(stored, content, needsReissue)
      return session
    }
    // `session.user = 'ada'` would be lost: no property of this name exists, so the assignment ends up here.
    Object.setPrototypeOf(Session.prototype, new Proxy(Object.prototype, { set: refuseProperty }))
  }

  get #accessed(): SessionState {
    const state = this.#state
    if (!state.accessed) state.access()
    return state
  }

  /**
   * `base64url(SHA-256(cookie value))`, safe to log. `undefined` until the session is stored for the first time, and from
   * `signIn` or `regenerate` until it is stored again.
   */
  get id(): string | undefined {
    return this.#accessed.id
  }

  /** No store has ever held it. */
  get isNew(): boolean {
    return this.#accessed.isNew
  }

  /** `destroy()` was called, and nothing was begun in its place. */
  get isDestroyed(): boolean {
    return this.#accessed.isDestroyed
  }

  /** Its expiry has passed. */
  get isExpired(): boolean {
    return this.#accessed.isExpired(Date.now())
  }

  /** Data was changed and is not stored yet. Moving the expiry, `regenerate` and `destroy` do not count. */
  get dataChanged(): boolean {
    return this.#accessed.dataChanged
  }

  /** Start of the absolute lifetime: when the session began, or the last `signIn`. */
  get createdAt(): Date {
    return new Date(this.#accessed.content.createdAt)
  }

  /** When it ends if nobody uses it again. `undefined`: never, or not stored yet. */
  get expiry(): Date | undefined {
    const { expiry } = this.#accessed
    return typeof expiry === 'number' ? new Date(expiry) : undefined
  }

  /** The owner, as passed to `signIn`. */
  get owner(): string | undefined {
    return this.#accessed.content.owner ?? undefined
  }

  /** The owner's device, as passed to `signIn`, for a list of devices. */
  get device(): string | undefined {
    return this.#accessed.content.device ?? undefined
  }

  /** How many keys hold data; flashes are not counted. */
  get size(): number {
    return this.#keys().length
  }

  /**
   * The value under `key`, deep-frozen, or `undefined`. A flash under this key is taken first.
   *
   * Changing what it returns throws; use `set` or `update`.
   *
   * @throws TypeError without a key.
   */
  get<K extends keyof Data & string>(key: K): DeepReadonly<Data[K]> | undefined {
    if (typeof key !== 'string') throw new TypeError("get() takes a key: session.get('cart').")
    const state = this.#accessed
    const flash = ownProperty(state.content.flash, key)
    if (!flash) return freezeJson(state.read(key)) as DeepReadonly<Data[K]> | undefined
    // It stays for a later request if nobody looks at this one, and once the response is settled.
    if (state.isWritable && state.manager?.takesFlashes() !== false) {
      const take = (content: SessionContent): void => {
        if (ownProperty(content.flash, key)?.token === flash.token) delete content.flash[key]
      }
      state.perform({ key, apply: take })
    }
    const value = state.schema ? state.schema.read(key, flash.value) : flash.value
    return freezeJson(value) as DeepReadonly<Data[K]> | undefined
  }

  /** Is there data or a flash under `key`? Takes nothing. */
  has(key: keyof Data & string): boolean {
    const state = this.#accessed
    return Object.hasOwn(state.content.flash, key) || state.read(key) !== undefined
  }

  /** The keys that hold data, as of now; flashes are left out. */
  keys(): IterableIterator<keyof Data & string> {
    return this.#keys().values()
  }

  #keys(): (keyof Data & string)[] {
    const state = this.#accessed
    const keys = Object.keys(state.content.data) as (keyof Data & string)[]
    return state.schema ? keys.filter((key) => state.read(key) !== undefined) : keys
  }

  /** Keys and their values, deep-frozen, as of now; flashes are left out and not taken. */
  entries(): IterableIterator<[keyof Data & string, DeepReadonly<Data[keyof Data & string]>]> {
    const state = this.#accessed
    return this.#keys()
      .map((key) => [key, freezeJson(state.read(key))])
      .values() as never
  }

  /**
   * Keeps `value` under `key`, in place of any flash there. A later change to the object does not reach the session.
   *
   * Setting what is there already is no change. Of two requests that set one key, the last one stored wins.
   *
   * @throws TypeError if `value` is not JSON (the message names the key and nothing of the value).
   */
  set<K extends keyof Data & string>(key: K, value: Exclude<Data[K], undefined>): void {
    checkKey(key)
    const next = jsonCopy(value, key)
    this.#write(key, () => next)
  }

  /**
   * Changes a value by what it is: `change` gets a copy that may be modified, its result is kept, `undefined` deletes.
   *
   * It runs at once, and again on the latest value if another request was faster: it must be free of side effects.
   * Two hundred concurrent requests that each add one end at two hundred.
   *
   * If it throws, the session stays as it was. The error comes from this call; if it runs again, from `save` or the end of the
   * request.
   *
   * @throws TypeError if the result is not JSON.
   */
  update<K extends keyof Data & string>(
    key: K,
    change: (current: Data[K] | undefined) => Data[K] | undefined,
  ): void {
    checkKey(key)
    this.#write(key, (content) => {
      const next = change(mutableJson(this.#state.read(key, content)) as Data[K] | undefined)
      return next === undefined ? undefined : jsonCopy(next, key)
    })
  }

  #write(key: string, compute: (content: SessionContent) => unknown): void {
    const state = this.#accessed
    state.assertWritable()
    const { content } = state
    const next = compute(content)
    state.schema?.accept(key, next)
    const same =
      sameJson(next, ownProperty(content.data, key)) && !Object.hasOwn(content.flash, key)
    if (same && !state.hasTouched(key)) return
    setOrDelete(content, key, next)
    state.record({ key, apply: (latest) => setOrDelete(latest, key, compute(latest)) })
  }

  /** Forgets the value and any flash under `key`; true if there was one. */
  delete(key: keyof Data & string): boolean {
    const state = this.#accessed
    state.assertWritable()
    const { data, flash } = state.content
    if (!Object.hasOwn(data, key) && !Object.hasOwn(flash, key)) return false
    state.perform({ key, apply: (content) => setOrDelete(content, key, undefined) })
    return true
  }

  /** Forgets all data and flashes. The session itself goes on. */
  clear(): void {
    this.#accessed.assertWritable()
    this.#keepOnly([])
  }

  /**
   * Keeps `value` until the first `get` of `key`, in this request or a later one. Survives redirects.
   *
   * @throws TypeError if `value` is not JSON.
   */
  flash<K extends keyof Data & string>(key: K, value: Data[K]): void {
    checkKey(key)
    const entry = { token: crypto.randomUUID(), value: jsonCopy(value, key) }
    this.#accessed.perform({
      key,
      apply: ({ flash }) => {
        flash[key] = entry
      },
    })
  }

  /**
   * Gives the session a new cookie value and id when it is stored; the old one is dead from then on.
   *
   * Data stays, or only the keys in `keep`. The absolute lifetime goes on. For a change of privilege within one login;
   * when somebody authenticates, call `signIn`.
   */
  regenerate(options?: { keep?: readonly (keyof Data & string)[] }): void {
    const { keep } = checkMethodOptions('regenerate', options)
    const state = this.#accessed
    state.assertWritable()
    // One that was never stored, and is not about to be, gets a new cookie value anyway.
    const rotates = state.life.is === 'stored' || state.isBeingStored
    if (!rotates && !keep) return
    this.#keepOnly(keep, rotates ? 'regenerate' : undefined)
  }

  /**
   * The one call to make when somebody authenticates: a new cookie value (so that a planted one is worthless), only the
   * keys in `keep`, `owner` as the one it belongs to, and a new absolute lifetime.
   *
   * `expireIn` and `setExpiry` of an earlier sign-in are over: call them after this one.
   *
   * @param owner 1 to 255 bytes of UTF-8 without NUL, for example a user id.
   * @param options `device`, 1 to 255 bytes, is what a list of devices shows ("Firefox on Linux"). It stays through `regenerate`.
   * @throws TypeError for another owner or device.
   */
  signIn(
    owner: string,
    options?: { keep?: readonly (keyof Data & string)[]; device?: string },
  ): void {
    checkOwner(owner, 'signIn')
    const { keep = [], device } = checkMethodOptions('signIn', options)
    checkDevice(device)
    this.#accessed.assertWritable()
    const createdAt = Date.now()
    this.#keepOnly(keep, 'signIn', (content) => {
      // `expireIn`, `setExpiry` and `persistent` were set for the visitor before the sign-in.
      const timing = { createdAt, idle: null, fixed: null, persistent: null }
      Object.assign(content, { owner, device: device ?? null, ...timing })
    })
  }

  /**
   * Ends the session: its record is removed and the browser told to forget the cookie, even if the handler fails later.
   *
   * Afterwards there is nothing to see. A change made after it (`flash('notice', 'Signed out')`) begins a new one.
   */
  destroy(): void {
    // biome-ignore lint/complexity/noArguments: a parameter would be part of the signature
    if (arguments.length > 0) throw new TypeError('destroy() takes no callback: it is done.')
    this.#accessed.destroy()
  }

  /**
   * This session's own idle timeout, in seconds, remembered by later requests. Not past the absolute timeout.
   *
   * With `persistent` also whether its cookie outlives the browser ("remember me"), in place of the middleware's
   * `cookie.persistent`: `expireIn(2_592_000, { persistent: true })` for a box that was ticked. `signIn` takes both back.
   *
   * @throws RangeError unless it is a positive, finite number of seconds.
   * @throws TypeError for another option, or if `persistent` is no boolean.
   */
  expireIn(seconds: number, options?: { persistent?: boolean }): void {
    if (!(Number.isFinite(seconds) && seconds > 0)) {
      throw new RangeError('expireIn() takes a positive, finite number of seconds.')
    }
    const persistent = checkPersistent(options)
    this.#setTiming((content) => {
      Object.assign(content, {
        idle: seconds,
        fixed: null,
        ...(persistent !== undefined && { persistent }),
      })
    })
  }

  /**
   * One instant at which it ends, whatever the visitor does. Not past the absolute timeout.
   *
   * @throws RangeError for an invalid date and for one that is not in the future.
   */
  setExpiry(at: Date): void {
    if (!(at instanceof Date)) throw new TypeError('setExpiry() takes a Date.')
    if (!(at.getTime() > Date.now()))
      throw new RangeError('setExpiry() takes a date in the future.')
    const fixed = at.getTime()
    this.#setTiming((content) => {
      Object.assign(content, { idle: null, fixed })
    })
  }

  /**
   * Moves the expiry now, even when no extension is due: record and cookie are written once. A session that was never stored,
   * or has ended, stays as it is, and so does an expiry that `setExpiry` has fixed.
   */
  touch(): void {
    const state = this.#accessed
    state.assertWritable()
    if (state.life.is === 'stored') this.#setTiming(() => {})
  }

  #setTiming(apply: Change['apply']): void {
    this.#accessed.perform({ key: NO_KEY, movesExpiry: true, apply })
  }

  /** Drops every key but these, as part of a rotation or by itself. No list: keeps them all. */
  #keepOnly(
    keep: readonly string[] | undefined,
    rotation?: Rotation,
    more: Change['apply'] = () => {},
  ): void {
    const state = this.#accessed
    if (rotation && state.life.is === 'stored') state.assertNewCookie()
    const dropped = ({ data, flash }: SessionContent): string[] =>
      keep ? Object.keys({ ...data, ...flash }).filter((key) => !keep.includes(key)) : []
    const drops = dropped(state.content).length > 0
    // A rotation has to drop what other requests have written meanwhile, even if there is nothing to drop yet.
    if (!drops && !rotation) return
    state.perform({
      key: drops ? ALL_KEYS : NO_KEY,
      ...(rotation && { rotation }),
      apply: (content) => {
        for (const key of dropped(content)) setOrDelete(content, key, undefined)
        more(content)
      },
    })
  }

  /**
   * Stores now instead of after the handler; the cookie goes out with the response. Afterwards `get` shows what was stored.
   *
   * With `change`, applies that first; if it throws, nothing of it stays. This is the way to change a session in a stream or
   * a WebSocket, when the response is settled already: it works as long as the browser has the cookie and needs no new one.
   *
   * If there is nothing to store, it checks with the store that the session still exists, so one that has ended elsewhere is
   * always an error and never a success. (Not with a store that keeps the session in its cookie: there is nobody to ask.)
   *
   * @throws SessionError `SESSION_GONE`, `SESSION_CONFLICT`, `SESSION_TOO_LARGE`, `STORE_FAILED`: nothing was stored.
   * `SESSION_COMMITTED` if a new cookie would be needed too late. `UNSUPPORTED` if no middleware manages the session.
   * @throws TypeError if `change` returns a promise: do what has to be awaited first.
   */
  async save(change?: (session: this) => void): Promise<void> {
    const state = this.#state
    const { manager } = state
    if (!manager) throw unmanaged('await store.storeSession(session)')
    try {
      state.assertSavable()
      if (change !== undefined) {
        if (typeof change !== 'function')
          throw new TypeError('save() takes a function, or nothing.')
        state.applyInSave(() => change(this))
      }
      await manager.save()
    } catch (error) {
      manager.refused(error)
      throw error
    }
  }

  /**
   * Reads the record again, at any time: also in a stream or a WebSocket, long after the response. Afterwards the session shows
   * what is stored, with the unsaved changes of this request on top. Nothing is stored, and nothing is sent. Reads past every cache.
   *
   * A session that was never stored stays as it is.
   *
   * @throws SessionError `SESSION_GONE` if it has ended. `STORE_FAILED` if the store fails. `UNSUPPORTED` if the session is kept
   * in its cookie, if the store has no `reloadSession`, and if no middleware manages the session.
   */
  async reload(): Promise<void> {
    const { manager } = this.#state
    if (!manager) throw unmanaged('await store.reloadSession(session)')
    await manager.reload()
  }

  /** Safe to log: no data, no cookie value. */
  toJSON(): {
    id: string | undefined
    isNew: boolean
    createdAt: string
    expiry: string | undefined
    owner: string | undefined
  } {
    const { id, isNew, createdAt, expiry, owner } = this
    return { id, isNew, createdAt: createdAt.toISOString(), expiry: expiry?.toISOString(), owner }
  }
}

/** The last stop of an assignment to a property that a session does not have. */
function refuseProperty(_target: object, property: string | symbol): never {
  const key = typeof property === 'string' ? `'${property}'` : 'key'
  throw new TypeError(
    `A session has no property of that name, and would forget it. Use session.set(${key}, value), and session.get(${key}) to read it.`,
  )
}

function unmanaged(instead: string): SessionError {
  return new SessionError(
    'UNSUPPORTED',
    `No middleware manages this session. Ask its store: \`${instead}\`.`,
  )
}
