import { type Content, own, place } from './content.js'
import { SessionError } from './errors.js'
import { checkKey, freezeJson, jsonCopy, mutableJson, sameJson } from './json.js'
import { ALL_KEYS, NO_KEY, type Rotation, SessionState } from './session-state.js'

/** The same value with everything in it readonly: what `get` gives is frozen. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** Longest owner, in bytes of UTF-8: what every backend can index. */
const MAX_OWNER_BYTES = 255

// biome-ignore lint/suspicious/noExplicitAny: stores hold sessions of every shape
let read: (session: Session<any>) => SessionState

/** What stores and the middleware see of a session. Not exported by the package. */
// biome-ignore lint/suspicious/noExplicitAny: stores hold sessions of every shape
export function stateOf(session: Session<any>): SessionState {
  return read(session)
}

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
    read = (session) => session.#state
  }

  get #seen(): SessionState {
    this.#state.looked = true
    return this.#state
  }

  /** `base64url(SHA-256(cookie value))`, safe to log. `undefined` until the session is stored for the first time. */
  get id(): string | undefined {
    return this.#seen.id
  }

  /** No store has ever held it. */
  get isNew(): boolean {
    return this.#seen.isNew
  }

  /** `destroy()` was called, and nothing was begun in its place. */
  get isDestroyed(): boolean {
    return this.#seen.destroyed
  }

  /** Its expiry has passed. */
  get isExpired(): boolean {
    return this.#seen.isExpired(Date.now())
  }

  /** Data was changed and is not stored yet. Moving the expiry, `regenerate` and `destroy` do not count. */
  get dataChanged(): boolean {
    return this.#seen.dataChanged
  }

  /** Start of the absolute lifetime: when the session began, or the last `signIn`. */
  get createdAt(): Date {
    return new Date(this.#seen.content.createdAt)
  }

  /** When it ends if nobody uses it again. `undefined`: never, or not stored yet. */
  get expiry(): Date | undefined {
    const { expiry } = this.#seen
    return typeof expiry === 'number' ? new Date(expiry) : undefined
  }

  /** Whom it belongs to, as told to `signIn`. */
  get owner(): string | undefined {
    return this.#seen.content.owner ?? undefined
  }

  /** How many keys hold data; flashes are not counted. */
  get size(): number {
    return Object.keys(this.#seen.content.data).length
  }

  /**
   * The value under `key`, deep-frozen, or `undefined`. A flash under this key is taken first.
   *
   * Changing what it returns throws; use `set` or `update`.
   */
  get<K extends keyof Data & string>(key: K): DeepReadonly<Data[K]> | undefined {
    const state = this.#seen
    const flash = own(state.content.flash, key)
    if (!flash) return freezeJson(own(state.content.data, key)) as DeepReadonly<Data[K]> | undefined
    // After the response is settled a flash can be read, but no longer taken.
    if (state.isWritable) {
      const take = (content: Content): void => {
        if (own(content.flash, key)?.token === flash.token) delete content.flash[key]
      }
      state.do({ key, apply: take })
    }
    return freezeJson(flash.value) as DeepReadonly<Data[K]>
  }

  /** Is there data or a flash under `key`? Takes nothing. */
  has(key: keyof Data & string): boolean {
    const { data, flash } = this.#seen.content
    return Object.hasOwn(data, key) || Object.hasOwn(flash, key)
  }

  /** The keys that hold data, as of now; flashes are left out. */
  keys(): IterableIterator<keyof Data & string> {
    return Object.keys(this.#seen.content.data).values() as IterableIterator<keyof Data & string>
  }

  /**
   * Keeps `value` under `key`, in place of any flash there. A later change to the object does not reach the session.
   *
   * Setting what is there already is no change. Of two requests that set one key, the last one stored wins.
   *
   * @throws TypeError if `value` is not JSON (the message names the key and nothing of the value).
   */
  set<K extends keyof Data & string>(key: K, value: Data[K]): void {
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
   * What it throws leaves the session as it was: at the call here, or from `save` or the end of the request if it runs again.
   *
   * @throws TypeError if the result is not JSON.
   */
  update<K extends keyof Data & string>(
    key: K,
    change: (current: Data[K] | undefined) => Data[K] | undefined,
  ): void {
    checkKey(key)
    this.#write(key, ({ data }) => {
      const next = change(mutableJson(own(data, key)) as Data[K] | undefined)
      return next === undefined ? undefined : jsonCopy(next, key)
    })
  }

  #write(key: string, compute: (content: Content) => unknown): void {
    const state = this.#seen
    state.assertWritable()
    const { content } = state
    const next = compute(content)
    const same = sameJson(next, own(content.data, key)) && !Object.hasOwn(content.flash, key)
    if (same && !state.hasTouched(key)) return
    place(content, key, next)
    state.remember({ key, apply: (latest) => place(latest, key, compute(latest)) })
  }

  /** Forgets the value and any flash under `key`; true if there was one. */
  delete(key: keyof Data & string): boolean {
    const state = this.#seen
    state.assertWritable()
    if (!this.has(key)) return false
    state.do({ key, apply: (content) => place(content, key, undefined) })
    return true
  }

  /** Forgets all data and flashes. The session itself goes on. */
  clear(): void {
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
    this.#seen.do({
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
  regenerate({ keep }: { keep?: readonly (keyof Data & string)[] } = {}): void {
    this.#seen.assertWritable()
    this.#rotate('regenerate')
    if (keep) this.#keepOnly(keep)
  }

  /**
   * The one call to make when somebody authenticates: a new cookie value (so that a planted one is worthless), only the
   * keys in `keep`, `owner` as the one it belongs to, and a new absolute lifetime.
   *
   * @param owner 1 to 255 bytes of UTF-8 without NUL, for example a user id.
   * @throws TypeError for another owner.
   */
  signIn(owner: string, { keep = [] }: { keep?: readonly (keyof Data & string)[] } = {}): void {
    checkOwner(owner)
    this.#seen.assertWritable()
    this.#rotate('signIn')
    this.#keepOnly(keep)
    const createdAt = Date.now()
    this.#state.do({
      key: NO_KEY,
      apply: (content) => {
        content.owner = owner
        content.createdAt = createdAt
      },
    })
  }

  /**
   * Ends the session: its record is removed and the browser told to forget the cookie, even if the handler fails later.
   *
   * Afterwards there is nothing to see. A change made after it (`flash('notice', 'Signed out')`) begins a new one.
   */
  destroy(): void {
    this.#seen.destroy()
  }

  /**
   * This session's own idle timeout, remembered by later requests ("remember me"). Not past the absolute timeout.
   *
   * @throws RangeError unless it is a positive, finite number of seconds.
   */
  expireIn(seconds: number): void {
    if (!(Number.isFinite(seconds) && seconds > 0)) {
      throw new RangeError('expireIn() takes a positive, finite number of seconds.')
    }
    this.#retime(seconds, null)
  }

  /**
   * One instant at which it ends, whatever the visitor does. Not past the absolute timeout.
   *
   * @throws RangeError for an invalid date and for one that is not in the future.
   */
  setExpiry(at: Date): void {
    if (!(at.getTime() > Date.now()))
      throw new RangeError('setExpiry() takes a date in the future.')
    this.#retime(null, at.getTime())
  }

  #retime(idle: number | null, fixed: number | null): void {
    this.#seen.do({
      key: NO_KEY,
      retimes: true,
      apply: (content) => {
        content.idle = idle
        content.fixed = fixed
      },
    })
  }

  #rotate(rotation: Rotation): void {
    const state = this.#state
    if (state.isNew || state.destroyed) return // its cookie value is a new one anyway
    state.assertCookieCanBeSent()
    if (state.rotation !== 'signIn') state.rotation = rotation
  }

  #keepOnly(keep: readonly string[]): void {
    const state = this.#seen
    state.assertWritable()
    const dropped = ({ data, flash }: Content): string[] =>
      Object.keys({ ...data, ...flash }).filter((key) => !keep.includes(key))
    const drops = dropped(state.content).length > 0
    // A rotation has to drop what it finds at last, be there nothing to drop yet.
    if (!drops && !state.rotation) return
    state.do({
      key: drops ? ALL_KEYS : NO_KEY,
      apply: (content) => {
        for (const key of dropped(content)) place(content, key, undefined)
      },
    })
  }

  /**
   * Stores now instead of after the handler; the cookie goes out with the response. Afterwards `get` shows what was stored.
   *
   * With `change`, applies that first. This is the way to change a session in a stream or a WebSocket, when the response
   * is settled already: it works as long as the browser has the cookie and needs no new one.
   *
   * @throws SessionError `SESSION_GONE`, `SESSION_CONFLICT`, `SESSION_TOO_LARGE`, `STORE_FAILED`: nothing was stored.
   * `SESSION_COMMITTED` if a new cookie would be needed too late. `UNSUPPORTED` if no middleware manages the session.
   */
  async save(change?: (session: this) => void): Promise<void> {
    const state = this.#state
    if (!state.save) {
      throw new SessionError(
        'UNSUPPORTED',
        'No middleware manages this session. Store it with `await store.storeSession(session)`.',
      )
    }
    if (change) state.apply(() => change(this))
    await state.save()
  }

  /** What may be logged: no data, no cookie value. */
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

function checkOwner(owner: unknown): asserts owner is string {
  const sound =
    typeof owner === 'string' && owner !== '' && !owner.includes('\0') && owner.isWellFormed()
  if (!sound || new TextEncoder().encode(owner).length > MAX_OWNER_BYTES) {
    throw new TypeError(
      `signIn() takes an owner of 1 to ${MAX_OWNER_BYTES} bytes of UTF-8 without NUL.`,
    )
  }
}
